#include "audit/pump.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"

namespace otpd::audit {
namespace {

// How often the backlog is asked for.
constexpr Millis k_backlog_pause{1'000};

// Whether no other batch would fare better now.
bool nobody_answers(Failure kind) {
  return kind == Failure::unavailable || kind == Failure::timeout || kind == Failure::overloaded;
}

}  // namespace

// What one drain() did so far.
struct Pump::Round {
  void note(Error error) {
    if (!failure) failure = std::move(error);
  }

  std::uint64_t carried = 0;
  std::optional<Error> failure;
  bool hopeless = false;  // the sink is away
};

Pump::Pump(EventStream& from, EventSink& to, const Clock& clock, Metrics& metrics,
           PumpConfig config)
    : from_(from),
      to_(to),
      clock_(clock),
      config_(config),
      written_(metrics.counter("otpd_audit_written_total", "Audit events written for good")),
      failures_(metrics.counter("otpd_audit_failures_total", "Audit batches that failed")),
      waiting_(metrics.gauge("otpd_audit_backlog_events", "Audit events not yet written for good")),
      oldest_(metrics.gauge("otpd_audit_backlog_seconds", "Age of the oldest of them")) {}

Task<Result<std::uint64_t>> Pump::drain() {
  Round round;
  std::vector<std::uint32_t> full(from_.partitions());
  for (std::uint32_t i = 0; i < full.size(); ++i) full[i] = i;
  while (!full.empty() && !round.hopeless && !stopping_) {
    std::vector<std::uint32_t> again;
    for (const std::uint32_t partition : full) {
      const std::size_t carried = co_await carry_batch(partition, round);
      if (carried == config_.batch) again.push_back(partition);
      if (round.hopeless || stopping_) break;
    }
    full = std::move(again);
  }
  if (round.failure) co_return std::unexpected(std::move(*round.failure));
  co_return round.carried;
}

// How many events of the partition were carried; 0 also after a failure.
Task<std::size_t> Pump::carry_batch(std::uint32_t partition, Round& round) {
  auto fail_batch = [&](Error error) {
    failures_.add();
    round.note(std::move(error));
    return std::size_t{0};
  };
  auto waiting = co_await from_.read(partition, config_.batch);
  if (!waiting) co_return fail_batch(waiting.error());
  if (waiting->empty()) co_return 0;
  std::vector<std::string> marks;
  std::vector<Event> events;
  for (EventStream::Waiting& each : *waiting) {
    marks.push_back(std::move(each.mark));
    events.push_back(std::move(each.event));
  }
  auto written = co_await to_.write(partition, std::move(events));
  if (!written) {
    round.hopeless = nobody_answers(written.error().kind);
    co_return fail_batch(written.error());
  }
  const std::size_t count = marks.size();
  auto forgotten = co_await from_.forget(partition, std::move(marks));
  if (!forgotten) co_return fail_batch(forgotten.error());
  written_.add(static_cast<double>(count));
  round.carried += count;
  co_return count;
}

Task<void> Pump::run() {
  using Steady = std::chrono::steady_clock;
  auto next_backlog = Steady::now();
  while (!stopping_) {
    const auto drained = co_await drain();
    tell(drained);
    if (stopping_) break;
    if (Steady::now() >= next_backlog) {
      co_await export_backlog();
      next_backlog = Steady::now() + k_backlog_pause;
    }
    if (!stopping_) co_await sleep_for(drained ? config_.pause : config_.trouble_pause);
  }
}

Task<void> Pump::export_backlog() {
  const auto backlog = co_await from_.backlog(clock_.now());
  if (!backlog) {
    failures_.add();
    co_return;
  }
  waiting_.set(static_cast<double>(backlog->events));
  oldest_.set(std::chrono::duration<double>(backlog->oldest).count());
}

// Logs where a spell of trouble begins and ends.
void Pump::tell(const Result<std::uint64_t>& drained) {
  if (drained.has_value() != in_trouble_) return;
  in_trouble_ = !drained;
  if (in_trouble_) {
    log::error("audit events wait: they cannot be written", {{"reason", drained.error().message}});
  } else {
    log::info("audit events are written again");
  }
}

}  // namespace otpd::audit
