// Upkeep: purge and the partitions ahead.
#include <algorithm>
#include <array>
#include <functional>

#include "storage/postgres/core.h"
#include "storage/postgres/tables.h"

namespace otpd::storage::postgres {
namespace {

// Longer than any verification can live.
constexpr Millis k_keep_consumed = std::chrono::days(7);

constexpr std::size_t k_slice_rows = 1'000;
constexpr Millis k_maintain_limit{60'000};
constexpr int k_months_ahead = 2;

// One kind of garbage: how a slice removes at most so many rows of it, and who counts them.
struct PurgeStep {
  std::function<std::uint64_t(Session&, TimePoint, std::size_t)> run;
  TimePoint before;
  std::uint64_t* count;
};

// What one slice removed, and how long it took.
struct PurgeSlice {
  std::uint64_t rows = 0;
  Millis took{0};
};

Task<Result<PurgeSlice>> run_slice(SharedCore core, PurgeStep step) {
  const auto begin = Steady::now();
  auto removed = co_await core->ask<std::uint64_t>(
      [step](Session& session) { return step.run(session, step.before, k_slice_rows); });
  if (!removed) co_return std::unexpected(removed.error());
  co_return PurgeSlice{*removed, std::chrono::ceil<Millis>(Steady::now() - begin)};
}

}  // namespace

Task<Result<Purged>> purge(SharedCore core, TimePoint now) {
  Purged purged;
  std::uint64_t consumed = 0;
  const std::array<PurgeStep, 4> steps = {{
      {purge_records, now, &purged.records},
      {blank_letters, now, &purged.blanked},
      {purge_letters, now - core->config.retention.dead_letters, &purged.dead_letters},
      {purge_consumed, now - k_keep_consumed, &consumed},
  }};
  for (const PurgeStep& step : steps) {
    while (true) {
      auto slice = co_await run_slice(core, step);
      if (!slice) co_return std::unexpected(slice.error());
      *step.count += slice->rows;
      purged.longest_slice = std::max(purged.longest_slice, slice->took);
      if (slice->rows < k_slice_rows) break;
      co_await sleep_for(slice->took);  // leaves half of the time to the commits
    }
  }
  auto events = co_await maintain(core, now);
  if (!events) co_return std::unexpected(events.error());
  purged.events = *events;
  co_return purged;
}

Task<Result<std::uint64_t>> maintain(SharedCore core, TimePoint now) {
  auto work = [core = core.get(), now](Session& session) -> Result<std::uint64_t> {
    for (int ahead = 0; ahead <= k_months_ahead; ++ahead) {
      core->partitions.ensure(session, month_of(storable_time(now)) + ahead);
    }
    const std::uint64_t lines = drop_partitions(session, now - core->config.retention.audit);
    core->partitions.forget();
    if (auto done = session.take_failure(); !done) return std::unexpected(done.error());
    return lines;
  };
  co_return co_await core->pool.ask_within<std::uint64_t>(k_maintain_limit, work);
}

}  // namespace otpd::storage::postgres
