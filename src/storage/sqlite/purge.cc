#include "storage/sqlite/purge.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace otpd::storage::sqlite {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// What one slice did.
struct Slice {
  std::size_t rows = 0;
  std::vector<otp::Key> records;  // of them
  std::chrono::steady_clock::duration took{0};
};

// One kind of garbage: how a slice removes at most so many rows of it, and who counts them.
struct Step {
  std::function<void(Tables&, Slice&, std::size_t max, SteadyTime until)> run;
  std::uint64_t* count;
};

// A slice is a transaction of its own; runs on the writer's thread.
Result<Slice> run_slice(Tables& tables, const Step& step, std::size_t max) {
  const auto begin = std::chrono::steady_clock::now();
  Slice slice;
  tables.connection().begin_write();
  step.run(tables, slice, max, begin + SliceSize::k_aim);
  if (auto written = tables.connection().end(); !written) return std::unexpected(written.error());
  slice.took = std::chrono::steady_clock::now() - begin;
  return slice;
}

Task<Result<Slice>> slice_on_writer(Core& core, Step step, std::size_t max) {
  auto start = [&](Callback<Result<Slice>> done) {
    auto answer = std::make_shared<Callback<Result<Slice>>>(std::move(done));
    const bool taken = core.writer().interlude([&core, step, max, answer](Tables& tables) {
      Result<Slice> slice = run_slice(tables, step, max);
      if (slice) {
        for (const otp::Key& key : slice->records) {
          core.known_keys.remove(key);
          core.cache.erase(key);
        }
      }
      (*answer)(std::move(slice));
    });
    if (!taken) (*answer)(fail(Failure::unavailable, "the database is being closed"));
  };
  co_return co_await await_callback<Slice>(std::chrono::minutes(1), start);
}

std::array<Step, 4> steps(Retention keep, TimePoint now, Purged& purged) {
  return {{
      {[now](Tables& t, Slice& slice, std::size_t max, SteadyTime until) {
         slice.records = t.delete_expired_records(now, max, until);
         slice.rows = slice.records.size();
       },
       &purged.records},
      {[now](Tables& t, Slice& slice, std::size_t max, SteadyTime until) {
         slice.rows = t.blank_expired_letters(now, max, until);
       },
       &purged.blanked},
      {[at = now - keep.dead_letters](Tables& t, Slice& slice, std::size_t max, SteadyTime until) {
         slice.rows = t.delete_dead_letters(at, max, until);
       },
       &purged.dead_letters},
      {[at = now - keep.audit](Tables& t, Slice& slice, std::size_t max, SteadyTime until) {
         slice.rows = t.delete_events(at, max, until);
       },
       &purged.events},
  }};
}

}  // namespace

void SliceSize::took(std::chrono::steady_clock::duration time) {
  if (time > k_aim) rows_ = std::max(rows_ / 2, k_smallest);
  if (time < k_aim / 2) rows_ = std::min(rows_ * 2, k_largest);
}

Task<Result<Purged>> purge(Core& core, TimePoint now) {
  Purged purged;
  for (const Step& step : steps(core.config.retention, now, purged)) {
    SliceSize size;
    while (true) {
      auto slice = co_await slice_on_writer(core, step, size.rows());
      if (!slice) co_return std::unexpected(slice.error());
      if (slice->rows == 0) break;
      *step.count += slice->rows;
      size.took(slice->took);
      const auto took = std::chrono::ceil<Millis>(slice->took);
      purged.longest_slice = std::max(purged.longest_slice, took);
      // Leaves the writer to the commits for three quarters of the time.
      co_await sleep_for(3 * took);
    }
  }
  co_return purged;
}

}  // namespace otpd::storage::sqlite
