#include "storage/take.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/limits.h"

namespace otpd::storage {
namespace {

// Until the next job is ready, but not in steps so short that a virtual clock that stands still
// just before it would keep us spinning.
Millis pause_before_look(const Taken& taken, TimePoint now, Millis left) {
  constexpr Millis k_shortest{10};
  if (!taken.next_ready) return left;
  return std::min(left, std::max(*taken.next_ready - now, k_shortest));
}

}  // namespace

Task<std::vector<delivery::Job>> take_waiting(JobBook& book, std::shared_ptr<Doorbell> bell,
                                              const Clock& clock, TimePoint now, Millis lease,
                                              std::size_t max, Millis wait) {
  using Steady = std::chrono::steady_clock;
  const auto give_up = Steady::now() + wait;
  while (!bell->closed()) {
    const std::uint64_t seen = bell->rings();
    Taken taken = book.take(now, lease, std::min(max, k_max_take));
    const Millis left = std::chrono::ceil<Millis>(give_up - Steady::now());
    if (!taken.jobs.empty() || left <= Millis(0)) co_return std::move(taken.jobs);
    co_await bell->wait(seen, pause_before_look(taken, now, left));
    now = std::max(now, clock.now());
  }
  co_return std::vector<delivery::Job>();
}

}  // namespace otpd::storage
