// Breaker: whether a lane may be used, judged by what became of its latest tries. A pure state
// machine: time is an argument, and it may step back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"

namespace otpd::delivery {

struct BreakerPolicy {
  Millis window{60'000};            // tries older than this are forgotten
  std::uint32_t min_volume = 20;    // with fewer tries in the window no rate is judged
  double shift_error_rate = 0.05;   // above it other lanes are preferred
  double open_error_rate = 0.5;     // from it the lane is left alone
  std::uint32_t open_failures = 5;  // so many failures in a row open it, whatever the volume
  Millis open_p99{15'000};          // a 99th percentile above it opens it
  Millis open_for{5'000};           // the first time; doubles while probes fail
  Millis open_max{300'000};
  std::uint32_t probes = 3;  // successes one after the other that close it again
};

// How the tries of the window went.
struct LaneHealth {
  std::uint32_t succeeded = 0;
  std::uint32_t failed = 0;
  Millis p50{0};  // of all tries; upper bounds, within a fifth
  Millis p99{0};
  double error_rate() const {
    const std::uint32_t all = succeeded + failed;
    return all == 0 ? 0 : static_cast<double>(failed) / all;
  }
};

// Tries counted by age and latency.
class RollingWindow {
 public:
  explicit RollingWindow(Millis length) : slice_(length / k_slices) {}
  void record(TimePoint now, bool success, Millis latency);
  // All of it, or without the percentiles, which cost most.
  LaneHealth health(TimePoint now) const;
  LaneHealth counts(TimePoint now) const;
  void clear() { slices_ = {}; }

 private:
  static constexpr std::size_t k_slices = 12;
  static constexpr std::size_t k_latencies = 64;  // steps of a fifth, from 1 ms to 80 s
  struct Slice {
    std::int64_t number = -1;  // of its time since the epoch
    std::uint32_t succeeded = 0;
    std::uint32_t failed = 0;
    std::array<std::uint32_t, k_latencies> latencies{};
  };
  std::int64_t number_at(TimePoint now) const { return now.time_since_epoch() / slice_; }
  bool is_within(const Slice& slice, TimePoint now) const;

  Millis slice_;
  std::array<Slice, k_slices> slices_{};
};

enum class BreakerState : std::uint8_t {
  closed,     // in use
  shifting,   // in use where no closed lane is left, and for probes: too many errors
  open,       // not in use until its time is over
  half_open,  // one probe at a time
};
std::string_view name_of(BreakerState state);

class Breaker {
 public:
  explicit Breaker(const BreakerPolicy& policy) : policy_(policy), window_(policy.window) {}

  // What became of one try. Takes the place given by begin_probe, if it was one.
  void record(TimePoint now, bool success, Millis latency);

  // Opens at once: nothing sent through the lane will work until somebody mends it.
  void trip(TimePoint now, std::string reason);

  BreakerState state(TimePoint now) const;

  // Whether a message may be risked to learn whether the lane works again: when half open, and when
  // shifting without a failure for policy.open_for. One at a time; policy.probes successes close
  // it.
  bool may_probe(TimePoint now) const;

  // True for the one who may try next; false while another probe is on its way.
  bool begin_probe();

  bool probing() const { return probing_; }

  // A try ended without an answer that says anything about the lane.
  void end_probe() { probing_ = false; }

  // When an open breaker becomes half open.
  TimePoint open_until() const { return open_until_; }
  // Why it opened last; empty if it is closed.
  const std::string& reason() const { return reason_; }
  LaneHealth health(TimePoint now) const { return window_.health(now); }
  // Whether a try succeeded within the window: the carrier still answers.
  bool answers(TimePoint now) const;

 private:
  void open(TimePoint now, std::string reason);
  void close();

  BreakerPolicy policy_;
  RollingWindow window_;
  bool opened_ = false;  // open or half open
  TimePoint open_until_{};
  Millis open_length_{0};
  std::uint32_t failures_in_a_row_ = 0;
  std::uint32_t probes_passed_ = 0;
  bool probing_ = false;
  bool tripped_ = false;
  std::optional<TimePoint> last_success_;
  std::optional<TimePoint> last_failure_;
  std::string reason_;
};

}  // namespace otpd::delivery
