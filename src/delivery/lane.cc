#include "delivery/lane.h"

#include <algorithm>

#include "base/log.h"

namespace otpd::delivery {
namespace {

constexpr Millis k_pause{1'000};  // after a refusal for speed that names no time
constexpr Millis k_shortest_wait{20};
constexpr Millis k_earliest_hedge{1'000};
constexpr std::string_view k_outcomes[] = {"accepted", "transient", "throttled", "rejected",
                                           "misconfigured"};

}  // namespace

Lane::Lane(Provider& provider, LaneConfig config, Metrics& metrics)
    : provider_(provider),
      config_(std::move(config)),
      breaker_(config_.breaker),
      seconds_(metrics.seconds("otpd_provider_seconds", "Time of one try to hand a message over.",
                               {{"lane", config_.name}})),
      usable_(metrics.gauge("otpd_lane_usable", "1: in use; 0: its circuit is open, or disabled.",
                            {{"lane", config_.name}})) {
  for (const auto outcome : k_outcomes) {
    outcomes_.push_back(metrics.counter(
        "otpd_provider_tries_total", "Tries to hand a message over, by lane and outcome.",
        {{"lane", config_.name}, {"outcome", std::string(outcome)}}));
  }
  usable_.set(1);
}

Standing Lane::standing(TimePoint now) const {
  if (disabled_) return Standing::disabled;
  const BreakerState state = this->state(now);
  if (state == BreakerState::open) return answers(now) ? Standing::failing : Standing::open;
  if (state == BreakerState::half_open && breaker_.probing()) return Standing::open;
  if (now < paused_until_ || in_flight_ >= config_.in_flight ||
      (config_.per_second > 0 && Steady::now() < next_free_)) {
    return Standing::busy;
  }
  const bool shifting = state == BreakerState::shifting && !breaker_.may_probe(now);
  return shifting ? Standing::shifting : Standing::ready;
}

Millis Lane::wait(TimePoint now) const {
  Millis wait = k_shortest_wait;
  if (breaker_.state(now) == BreakerState::open) wait = std::max(wait, breaker_.open_until() - now);
  if (heard_.open) wait = std::max(wait, heard_.until - now);
  if (now < paused_until_) wait = std::max(wait, paused_until_ - now);
  if (config_.per_second > 0) {
    wait = std::max(wait, std::chrono::ceil<Millis>(next_free_ - Steady::now()));
  }
  return wait;
}

void Lane::begin(TimePoint now) {
  ++in_flight_;
  if (breaker_.may_probe(now)) breaker_.begin_probe();
  if (config_.per_second > 0) {
    // A tenth of a second's messages may go at once.
    const auto step = std::chrono::nanoseconds(std::chrono::seconds(1)) / config_.per_second;
    next_free_ = std::max(next_free_, Steady::now() - std::chrono::milliseconds(100)) + step;
  }
}

Task<Outcome> Lane::attempt(const Message& message, Millis left, const Clock& clock) {
  begin(clock.now());
  const auto begun = Steady::now();
  Outcome outcome = co_await hand_over(message, std::min(config_.timeout, left));
  const auto took = Steady::now() - begun;
  seconds_.observe(std::chrono::duration<double>(took).count());
  outcomes_[static_cast<std::size_t>(outcome.kind)].add();
  end(outcome, std::chrono::ceil<Millis>(took), clock.now());
  co_return outcome;
}

Task<Outcome> Lane::hand_over(const Message& message, Millis timeout) {
  if (config_.callback_url.empty()) co_return co_await provider_.send(message, timeout);
  Message own = message.clone();
  own.callback_url = config_.callback_url + "?ref=" + message.reference;
  co_return co_await provider_.send(own, timeout);
}

void Lane::end(const Outcome& outcome, Millis took, TimePoint now) {
  --in_flight_;
  switch (outcome.kind) {
    case Outcome::Kind::accepted:
    case Outcome::Kind::rejected:
      breaker_.record(now, true, took);
      break;
    case Outcome::Kind::transient:
      breaker_.record(now, false, took);
      break;
    case Outcome::Kind::throttled:
      breaker_.end_probe();
      break;
    case Outcome::Kind::misconfigured:
      breaker_.trip(now, "misconfigured: " + outcome.reason);
      log::error("a lane refuses our credentials or settings",
                 {{"lane", config_.name}, {"reason", outcome.reason}});
      break;
  }
  if (outcome.kind == Outcome::Kind::throttled) {
    paused_until_ = now + outcome.retry_after.value_or(k_pause);
  }
  publish(now);
}

void Lane::publish(TimePoint now) {
  std::int64_t until = k_free;
  const bool open = state(now) == BreakerState::open;
  if (open && !answers(now)) {
    const TimePoint own = breaker_.state(now) == BreakerState::open ? breaker_.open_until() : now;
    until = std::max(own, heard_.open ? heard_.until : now).time_since_epoch().count();
  }
  if (disabled_) until = TimePoint::max().time_since_epoch().count();
  const bool was_usable = blocked_until_ms_.exchange(until) == k_free;
  usable_.set(until == k_free ? 1 : 0);
  if (was_usable == (until == k_free) || disabled_) return;
  if (open) {
    log::warn("a lane's circuit opened",
              {{"lane", config_.name},
               {"reason", breaker_.reason().empty() ? heard_.reason : breaker_.reason()}});
  } else {
    log::info("a lane's circuit closed", {{"lane", config_.name}});
  }
}

std::optional<Millis> Lane::hedge_after(TimePoint now) const {
  const LaneHealth seen = breaker_.health(now);
  if (seen.succeeded < config_.breaker.min_volume) return std::nullopt;
  const Millis after = std::max(k_earliest_hedge, seen.p99 + seen.p99 / 2);
  if (after >= config_.timeout) return std::nullopt;
  return after;
}

// A circuit that is half open elsewhere stays open here until the probe there has closed it.
BreakerState Lane::state(TimePoint now) const {
  const BreakerState own = breaker_.state(now);
  return heard_.open ? BreakerState::open : own;
}

LaneNews Lane::news(TimePoint now) const {
  const BreakerState own = breaker_.state(now);
  const std::chrono::duration<double> window = config_.breaker.window;
  LaneNews news{.lane = config_.name,
                .open = own == BreakerState::open || own == BreakerState::half_open,
                .reason = breaker_.reason(),
                .until = breaker_.open_until(),
                .health = breaker_.health(now),
                .in_flight = in_flight_};
  news.per_second = (news.health.succeeded + news.health.failed) / window.count();
  return news;
}

void Lane::hear(LaneHearsay heard, TimePoint now) {
  heard_ = std::move(heard);
  publish(now);
}

void Lane::set_disabled(bool disabled, TimePoint now) {
  disabled_ = disabled;
  publish(now);
}

LaneReport Lane::report(TimePoint now) const {
  const LaneNews own = news(now);
  LaneReport report{.name = config_.name,
                    .breaker = state(now),
                    .disabled = disabled_,
                    .reason = breaker_.reason().empty() ? heard_.reason : breaker_.reason(),
                    .until = std::nullopt,
                    .health = own.health,
                    .per_second = own.per_second + heard_.per_second,
                    .in_flight = own.in_flight + heard_.in_flight};
  report.health.succeeded += heard_.health.succeeded;
  report.health.failed += heard_.health.failed;
  report.health.p50 = std::max(report.health.p50, heard_.health.p50);
  report.health.p99 = std::max(report.health.p99, heard_.health.p99);
  if (report.breaker == BreakerState::open) {
    report.until = breaker_.state(now) == BreakerState::open ? breaker_.open_until() : heard_.until;
  }
  return report;
}

std::optional<TimePoint> Lane::blocked_until(TimePoint now) const {
  const std::int64_t until = blocked_until_ms_;
  if (until == k_free || now.time_since_epoch().count() >= until) return std::nullopt;
  return TimePoint(Millis(until));
}

}  // namespace otpd::delivery
