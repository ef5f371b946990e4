#include "faults.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_hanging = 100'000;
constexpr double k_longest_ms = 600'000;
constexpr double k_z99 = 2.3263478740408408;  // the 99th percentile of the normal distribution

// In [0, 1).
double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Box-Muller over the two halves of the bits.
double normal(std::uint64_t bits) {
  const double a = (static_cast<double>(bits >> 32) + 1) * 0x1p-32;
  const double b = static_cast<double>(bits & 0xffffffff) * 0x1p-32;
  return std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b);
}

}  // namespace

Millis pick_delay(const Delay& delay, std::uint64_t bits) {
  const auto low = static_cast<double>(delay.low.count());
  const auto high = static_cast<double>(delay.high.count());
  switch (delay.shape) {
    case Delay::Shape::fixed:
      return delay.low;
    case Delay::Shape::uniform:
      return Millis(std::llround(low + unit(bits) * (high - low)));
    case Delay::Shape::lognormal: {
      const double sigma = std::log(high / low) / k_z99;
      const double ms = low * std::exp(sigma * normal(bits));
      return Millis(std::llround(std::min(ms, k_longest_ms)));
    }
  }
  return delay.low;
}

void Faults::set(FaultPlan plan, TimePoint now) {
  auto next = std::make_shared<const FaultPlan>(std::move(plan));
  std::deque<Callback<Result<bool>>> released;
  {
    const std::lock_guard lock(mutex_);
    random_ = SeededRandom(next->seed.value_or(seed_));
    since_ = now;
    plan_ = std::move(next);
    released.swap(hanging_);
  }
  for (auto& go_on : released) go_on(true);
}

std::shared_ptr<const FaultPlan> Faults::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

bool Faults::strikes(double rate) {
  return unit(random_.u64()) < rate;
}

Fate Faults::decide(TimePoint now) {
  const std::lock_guard lock(mutex_);
  Fate fate{.plan = plan_};
  const FaultPlan& plan = *plan_;
  // Always as many draws, so that one fault does not shift the luck of another.
  fate.latency = pick_delay(plan.latency, random_.u64());
  const bool reset = strikes(plan.reset_rate);
  const bool throttle = strikes(plan.throttle_rate);
  const bool error = strikes(plan.error_rate);
  const bool garbage = strikes(plan.garbage_rate);
  fate.lose = strikes(plan.lose_rate);
  fate.drop = strikes(plan.drop_rate);
  fate.dice = random_.u64();
  if (is_out(plan.outage, since_, now)) {
    fate.kind = plan.outage.as_error ? Fate::Kind::error : Fate::Kind::reset;
  } else if (reset) {
    fate.kind = Fate::Kind::reset;
  } else if (throttle) {
    fate.kind = Fate::Kind::throttle;
  } else if (error) {
    fate.kind = Fate::Kind::error;
  } else if (garbage) {
    fate.kind = Fate::Kind::garbage;
  }
  return fate;
}

bool Faults::is_down(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return !plan_->outage.as_error && is_out(plan_->outage, since_, now);
}

bool Faults::is_refusing(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return plan_->outage.as_error && is_out(plan_->outage, since_, now);
}

void Faults::hold(const Fate& fate, Callback<Result<bool>> until_change) {
  {
    const std::lock_guard lock(mutex_);
    if (plan_ == fate.plan) {
      // The oldest have given up, or will by their own deadline.
      if (hanging_.size() == k_max_hanging) hanging_.pop_front();
      hanging_.push_back(std::move(until_change));
      return;
    }
  }
  until_change(true);
}

Task<bool> Faults::delay(Fate fate) {
  if (fate.latency > Millis(0)) co_await sleep_for(fate.latency);
  if (!fate.plan->hang) co_return true;
  const auto released = co_await await_callback<bool>(
      k_hang_limit, [&](Callback<Result<bool>> done) { hold(fate, std::move(done)); });
  co_return released.has_value();
}

FaultBoard::FaultBoard(std::uint64_t seed) {
  for (auto& faults : faults_) faults = std::make_unique<Faults>(seed++);
}

void FaultBoard::set_all(const FaultPlan& plan, TimePoint now) {
  const std::lock_guard lock(mutex_);
  common_ = plan;
  for (auto& faults : faults_) faults->set(plan, now);
}

FaultPlan FaultBoard::common() const {
  const std::lock_guard lock(mutex_);
  return common_;
}

}  // namespace otpd::sim
