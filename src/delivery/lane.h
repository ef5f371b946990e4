// Lane: a provider with its circuit breaker and its budget.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "delivery/breaker.h"
#include "delivery/lane_news.h"
#include "delivery/provider.h"

namespace otpd::delivery {

struct LaneConfig {
  std::string name;
  Millis timeout{8'000};          // of one try
  std::uint32_t in_flight = 128;  // tries at once
  std::uint32_t per_second = 0;   // messages handed over per second; 0: as fast as they come
  std::string callback_url;       // where its receipts come in; empty: none are asked for
  BreakerPolicy breaker;
};

// Whether a lane may be asked now. In the order of preference.
enum class Standing : std::uint8_t {
  ready,     // in order, or with a probe to give
  shifting,  // many errors: when no lane is ready
  failing,   // open, but it answers now and then: when nothing else is left
  busy,      // over its budget, or the carrier asked for a pause
  open,      // its circuit is open, or its probe is on its way
  disabled,  // by an operator
};

// What an operator sees.
struct LaneReport {
  std::string name;
  BreakerState breaker = BreakerState::closed;
  bool disabled = false;
  std::string reason;              // why it is not closed
  std::optional<TimePoint> until;  // when an open one is probed
  LaneHealth health;
  double per_second = 0;  // tries of the window
  std::uint32_t in_flight = 0;
};

// For one loop, except where said otherwise.
class Lane {
 public:
  using Steady = std::chrono::steady_clock;

  // `provider` outlives the lane.
  Lane(Provider& provider, LaneConfig config, Metrics& metrics);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  const std::string& name() const { return config_.name; }
  Provider& provider() const { return provider_; }
  Standing standing(TimePoint now) const;

  // How long until it may be asked, if it may not now: at least a millisecond.
  Millis wait(TimePoint now) const;

  // One try, with everything it tells about the lane. The message outlives it.
  Task<Outcome> attempt(const Message& message, Millis left, const Clock& clock);

  // After how long another lane should be asked as well, because this one has never needed so
  // long lately; nothing if that cannot be told.
  std::optional<Millis> hedge_after(TimePoint now) const;

  // What this process has seen of it, for the others.
  LaneNews news(TimePoint now) const;
  // What the others say of it. A circuit that one of them opened counts here as well; it is asked
  // only when nothing else is left, and not even then unless somebody, here or there, gets answers.
  void hear(LaneHearsay heard, TimePoint now);

  // An operator's switch. What is on its way goes on.
  void set_disabled(bool disabled, TimePoint now);
  LaneReport report(TimePoint now) const;

  // When a lane that can carry nothing at all may carry again; nothing if it can now. Never
  // for a disabled one: the greatest time. Safe from any thread.
  std::optional<TimePoint> blocked_until(TimePoint now) const;

 private:
  void begin(TimePoint now);
  Task<Outcome> hand_over(const Message& message, Millis timeout);
  void end(const Outcome& outcome, Millis took, TimePoint now);
  void publish(TimePoint now);
  BreakerState state(TimePoint now) const;
  bool answers(TimePoint now) const { return breaker_.answers(now) || heard_.answers; }

  static constexpr std::int64_t k_free = std::numeric_limits<std::int64_t>::min();

  Provider& provider_;
  const LaneConfig config_;
  Breaker breaker_;
  LaneHearsay heard_;
  bool disabled_ = false;
  std::uint32_t in_flight_ = 0;
  TimePoint paused_until_{};
  Steady::time_point next_free_{};  // by the rate
  std::atomic<std::int64_t> blocked_until_ms_{k_free};
  std::vector<Counter> outcomes_;
  Histogram seconds_;
  Gauge usable_;
};

}  // namespace otpd::delivery
