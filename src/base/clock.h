// Clock: the only way to learn the time. Rules take a TimePoint as an argument instead.
#pragma once

#include <atomic>
#include <chrono>

namespace otpd {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Unix time with millisecond resolution. It may step back: no rule may assume otherwise.
using TimePoint = std::chrono::sys_time<Millis>;

class Clock {
 public:
  virtual ~Clock() = default;
  // The current Unix time. Safe from any thread.
  virtual TimePoint now() const = 0;
};

// The system's clock.
class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
};

// A clock that is moved by hand: for our tests, and for customers' tests through
// `[testing] virtual_clock`. It stands still between calls. Safe from any thread.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(TimePoint start) : now_ms_(start.time_since_epoch().count()) {}
  TimePoint now() const override { return TimePoint(Millis(now_ms_.load())); }
  void set(TimePoint now) { now_ms_.store(now.time_since_epoch().count()); }
  void advance(Millis by) { now_ms_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> now_ms_;
};

}  // namespace otpd
