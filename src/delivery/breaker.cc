#include "delivery/breaker.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace otpd::delivery {
namespace {

constexpr double k_latency_step = 1.2;

std::size_t latency_step_of(Millis latency, std::size_t steps) {
  if (latency <= Millis(1)) return 0;
  const double step =
      std::ceil(std::log(static_cast<double>(latency.count())) / std::log(k_latency_step) - 1e-9);
  return std::min(static_cast<std::size_t>(step), steps - 1);
}

Millis latency_of_step(std::size_t step) {
  return Millis(std::llround(std::pow(k_latency_step, static_cast<double>(step))));
}

}  // namespace

// A slice from the future is of a clock that stepped back: it is forgotten, too.
bool RollingWindow::is_within(const Slice& slice, TimePoint now) const {
  const std::int64_t number = number_at(now);
  return slice.number <= number && slice.number > number - static_cast<std::int64_t>(k_slices);
}

void RollingWindow::record(TimePoint now, bool success, Millis latency) {
  const std::int64_t number = number_at(now);
  Slice& slice = slices_[static_cast<std::size_t>(number) % k_slices];
  if (slice.number != number) slice = Slice{.number = number};
  ++(success ? slice.succeeded : slice.failed);
  ++slice.latencies[latency_step_of(latency, k_latencies)];
}

LaneHealth RollingWindow::counts(TimePoint now) const {
  LaneHealth out;
  for (const Slice& slice : slices_) {
    if (!is_within(slice, now)) continue;
    out.succeeded += slice.succeeded;
    out.failed += slice.failed;
  }
  return out;
}

LaneHealth RollingWindow::health(TimePoint now) const {
  LaneHealth out = counts(now);
  std::array<std::uint32_t, k_latencies> latencies{};
  for (const Slice& slice : slices_) {
    if (!is_within(slice, now)) continue;
    for (std::size_t i = 0; i < k_latencies; ++i) latencies[i] += slice.latencies[i];
  }
  const std::uint32_t all = out.succeeded + out.failed;
  const auto percentile = [&](std::uint32_t percent) {
    const std::uint64_t rank = (std::uint64_t{all} * percent + 99) / 100;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < k_latencies; ++i) {
      seen += latencies[i];
      if (seen >= rank) return latency_of_step(i);
    }
    return Millis(0);
  };
  if (all > 0) {
    out.p50 = percentile(50);
    out.p99 = percentile(99);
  }
  return out;
}

std::string_view name_of(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::shifting:
      return "shifting";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "closed";
}

void Breaker::record(TimePoint now, bool success, Millis latency) {
  window_.record(now, success, latency);
  (success ? last_success_ : last_failure_) = now;
  failures_in_a_row_ = success ? 0 : failures_in_a_row_ + 1;
  if (opened_ && state(now) == BreakerState::open) return;  // begun before it opened
  const bool probe = std::exchange(probing_, false) || opened_;
  if (opened_ && !success) return open(now, "probe failed");
  if (!success) probes_passed_ = 0;
  if (probe && success && ++probes_passed_ >= policy_.probes) return close();
  if (opened_) return;
  if (failures_in_a_row_ >= policy_.open_failures) return open(now, "failures in a row");
  const LaneHealth seen = window_.counts(now);
  if (seen.succeeded + seen.failed < policy_.min_volume) return;
  if (!success && seen.error_rate() >= policy_.open_error_rate) return open(now, "error rate");
  // Only a slow try can raise the percentile.
  const bool slow = latency > policy_.open_p99;
  if (slow && window_.health(now).p99 > policy_.open_p99) open(now, "slow");
}

void Breaker::trip(TimePoint now, std::string reason) {
  tripped_ = true;
  if (opened_ && state(now) == BreakerState::open) return;
  open(now, std::move(reason));
}

void Breaker::open(TimePoint now, std::string reason) {
  open_length_ = opened_ ? std::min(open_length_ * 2, policy_.open_max) : policy_.open_for;
  opened_ = true;
  open_until_ = now + open_length_;
  probes_passed_ = 0;
  probing_ = false;
  // What a probe finds does not hide why the lane was opened.
  if (reason != "probe failed" || reason_.empty()) reason_ = std::move(reason);
}

void Breaker::close() {
  opened_ = false;
  tripped_ = false;
  failures_in_a_row_ = 0;
  probes_passed_ = 0;
  reason_.clear();
  window_.clear();
}

BreakerState Breaker::state(TimePoint now) const {
  if (opened_) {
    // A clock that stepped back must not keep it open for longer than was meant.
    const bool over = now >= open_until_ || now < open_until_ - open_length_;
    return over ? BreakerState::half_open : BreakerState::open;
  }
  const LaneHealth seen = window_.counts(now);
  const bool enough = seen.succeeded + seen.failed >= policy_.min_volume;
  return enough && seen.error_rate() > policy_.shift_error_rate ? BreakerState::shifting
                                                                : BreakerState::closed;
}

bool Breaker::may_probe(TimePoint now) const {
  const BreakerState state = this->state(now);
  if (probing_ || state == BreakerState::closed || state == BreakerState::open) return false;
  if (state == BreakerState::half_open || !last_failure_) return true;
  // A failure from the future is of a clock that stepped back.
  return *last_failure_ > now || now - *last_failure_ >= policy_.open_for;
}

bool Breaker::begin_probe() {
  return !std::exchange(probing_, true);
}

bool Breaker::answers(TimePoint now) const {
  if (tripped_) return false;
  return last_success_ && *last_success_ <= now && now - *last_success_ < policy_.window / 6;
}

}  // namespace otpd::delivery
