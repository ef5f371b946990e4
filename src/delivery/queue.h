// Queue: the port to the jobs that wait for delivery. Jobs enter it by Store::commit
// (Effects::enqueue) and leave it the same way (Effects::finish).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "otp/store.h"

namespace otpd::delivery {

// A job under a lease: until `leased_until` no other taker sees it.
struct Job {
  std::string id;
  otp::Key key;
  std::string sealed;
  TimePoint due_at;
  TimePoint expires_at;
  std::uint32_t attempt = 1;  // how often it was taken, this time included
  std::uint64_t lease = 0;    // names this lease; pass it on in JobEnd
};

struct DeadLetter {
  std::string id;
  std::string reason;
  std::uint32_t attempts = 0;
  TimePoint died_at;
  TimePoint expires_at;
};

struct QueueStats {
  std::uint64_t waiting = 0;  // not leased, due or not
  std::uint64_t leased = 0;
  std::uint64_t dead = 0;
  Millis oldest_due{0};  // age of the oldest due job that nobody has taken
};

class Queue {
 public:
  virtual ~Queue() = default;

  // Up to `max` jobs that are due at `now`, oldest first, leased until `now + lease`. Waits for
  // at most `wait` of real time for the first one; empty if there is none. A job whose lease ran
  // out is due again.
  virtual Task<Result<std::vector<Job>>> take(TimePoint now, Millis lease, std::size_t max,
                                              Millis wait) = 0;

  virtual Task<Result<QueueStats>> stats(TimePoint now) = 0;

  // The newest dead letters, at most `max`.
  virtual Task<Result<std::vector<DeadLetter>>> dead_letters(std::size_t max) = 0;

  // Makes a dead letter a job again, due at `now` and never tried. False if there is none of that
  // id, or its code has expired.
  virtual Task<Result<bool>> requeue(std::string id, TimePoint now) = 0;
};

}  // namespace otpd::delivery
