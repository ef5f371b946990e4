// Pump: carries the events that wait beside the hot state to where the audit log is kept.
//
// An event is forgotten where it waits only after it is written for good, and writing one again
// changes nothing: killed at any instant, the pump loses nothing and doubles nothing. Any number of
// pumps may run at once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/task.h"

namespace otpd::audit {

// What waits in all partitions.
struct Backlog {
  std::uint64_t events = 0;
  Millis oldest{0};  // its age
};

// The port to where events wait. Every partition is in order.
class EventStream {
 public:
  struct Waiting {
    std::string mark;  // names it in forget()
    Event event;
  };
  virtual ~EventStream() = default;
  virtual std::uint32_t partitions() const = 0;
  // The oldest of a partition, at most `max`.
  virtual Task<Result<std::vector<Waiting>>> read(std::uint32_t partition, std::size_t max) = 0;
  virtual Task<Result<void>> forget(std::uint32_t partition, std::vector<std::string> marks) = 0;
  virtual Task<Result<Backlog>> backlog(TimePoint now) = 0;
};

// The port to where they are kept.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Appends the events to a chain in one transaction, in order, without those whose id is there
  // already. When it answers, they are written for good.
  virtual Task<Result<void>> write(std::uint32_t chain, std::vector<Event> events) = 0;
};

struct PumpConfig {
  std::size_t batch = 500;      // events in one transaction
  Millis pause{200};            // between two rounds, so that events gather into batches
  Millis trouble_pause{1'000};  // after a failure; the events wait meanwhile
};

// For one loop. The ports outlive the pump.
class Pump {
 public:
  Pump(EventStream& from, EventSink& to, const Clock& clock, Metrics& metrics, PumpConfig config);

  // Carries what waits now, a batch of each partition in turn; how many events it were. A partition
  // that fails does not keep the others waiting, but a sink that cannot be reached ends the round;
  // the answer is then the first failure. What was not carried still waits.
  Task<Result<std::uint64_t>> drain();

  // Until stop(): drains, and exports otpd_audit_backlog_events, otpd_audit_backlog_seconds,
  // otpd_audit_written_total and otpd_audit_failures_total.
  Task<void> run();
  // To be called on the pump's loop; run() ends within its pause, and a batch under way.
  void stop() { stopping_ = true; }

 private:
  struct Round;
  Task<std::size_t> carry_batch(std::uint32_t partition, Round& round);
  Task<void> export_backlog();
  void tell(const Result<std::uint64_t>& drained);

  EventStream& from_;
  EventSink& to_;
  const Clock& clock_;
  const PumpConfig config_;
  Counter written_;
  Counter failures_;
  Gauge waiting_;
  Gauge oldest_;
  bool stopping_ = false;
  bool in_trouble_ = false;
};

}  // namespace otpd::audit
