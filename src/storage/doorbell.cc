#include "storage/doorbell.h"

#include <utility>

namespace otpd::storage {

std::uint64_t Doorbell::rings() const {
  const std::lock_guard lock(mutex_);
  return rings_;
}

bool Doorbell::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

Task<void> Doorbell::wait(std::uint64_t seen, Millis limit) {
  const auto self = shared_from_this();
  std::uint64_t number = 0;
  auto start = [&](Waiter waiter) { number = self->add(seen, std::move(waiter)); };
  // Both a ring and the deadline end the wait; which of them does not matter.
  (void)co_await await_callback<bool>(limit, start);
  self->remove(number);
}

void Doorbell::ring() {
  std::map<std::uint64_t, Waiter> woken;
  {
    const std::lock_guard lock(mutex_);
    woken = ring_locked();
  }
  for (auto& [number, waiter] : woken) waiter(true);
}

void Doorbell::close() {
  std::map<std::uint64_t, Waiter> woken;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    woken = ring_locked();
  }
  for (auto& [number, waiter] : woken) waiter(true);
}

std::map<std::uint64_t, Doorbell::Waiter> Doorbell::ring_locked() {
  ++rings_;
  return std::exchange(waiters_, {});
}

std::uint64_t Doorbell::add(std::uint64_t seen, Waiter waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (rings_ <= seen && !closed_) {
      waiters_.emplace(next_number_, std::move(waiter));
      return next_number_++;
    }
  }
  waiter(true);
  return 0;
}

void Doorbell::remove(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  waiters_.erase(number);
}

}  // namespace otpd::storage
