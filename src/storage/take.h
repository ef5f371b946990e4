// take_waiting: how Queue::take waits, on every backend.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "delivery/queue.h"
#include "storage/doorbell.h"

namespace otpd::storage {

// The answer of one look at the queue.
struct Taken {
  std::vector<delivery::Job> jobs;
  std::optional<TimePoint> next_ready;  // if `jobs` is empty: when the next one can be taken
};

// How long to wait before looking again: until the next job is ready, but not in steps so short
// that a virtual clock standing still just before it would keep us spinning.
inline Millis pause_before_look(const Taken& taken, TimePoint now, Millis left) {
  constexpr Millis k_shortest{10};
  if (!taken.next_ready) return left;
  return std::min(left, std::max(*taken.next_ready - now, k_shortest));
}

// Calls `look(now) -> Task<Result<Taken>>` until it yields jobs, fails, or `wait` is over; between
// two looks it waits for `bell` or for the next job to be ready. `look` must be safe to run on the
// caller's loop; the bell must ring whenever a job enters or is given back.
template <class Look>
Task<Result<std::vector<delivery::Job>>> take_waiting(std::shared_ptr<Doorbell> bell,
                                                      const Clock& clock, TimePoint now,
                                                      Millis wait, Look look) {
  using Steady = std::chrono::steady_clock;
  const auto give_up = Steady::now() + wait;
  while (true) {
    const std::uint64_t seen = bell->rings();
    Result<Taken> taken = co_await look(now);
    if (!taken) co_return std::unexpected(taken.error());
    const Millis left = std::chrono::ceil<Millis>(give_up - Steady::now());
    if (!taken->jobs.empty() || left <= Millis(0) || bell->closed()) {
      co_return std::move(taken->jobs);
    }
    co_await bell->wait(seen, pause_before_look(*taken, now, left));
    if (bell->closed()) co_return std::vector<delivery::Job>();
    now = std::max(now, clock.now());
  }
}

}  // namespace otpd::storage
