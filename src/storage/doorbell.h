// Doorbell: wakes the coroutines that wait for something to arrive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/task.h"

namespace otpd::storage {

// Safe from any thread.
class Doorbell : public std::enable_shared_from_this<Doorbell> {
 public:
  // How often it rang so far. Read it before looking for what may have arrived, so that a ring
  // in between is not missed.
  std::uint64_t rings() const;

  // Resumes as soon as it rang more than `seen` times, when it is closed, or after `limit` of
  // real time.
  Task<void> wait(std::uint64_t seen, Millis limit);

  // Wakes everybody who waits.
  void ring();

  // Wakes everybody, for good: no wait waits any more.
  void close();
  bool closed() const;

 private:
  using Waiter = Callback<Result<bool>>;

  // Calls `waiter` at the next ring, or now. The number takes it away again.
  std::uint64_t add(std::uint64_t seen, Waiter waiter);
  void remove(std::uint64_t number);
  std::map<std::uint64_t, Waiter> ring_locked();

  mutable std::mutex mutex_;
  std::uint64_t rings_ = 0;
  std::uint64_t next_number_ = 1;
  bool closed_ = false;
  std::map<std::uint64_t, Waiter> waiters_;
};

}  // namespace otpd::storage
