// Inbox: the bounded queue before a thread that works in batches.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

namespace otpd::storage::sqlite {

// Any number of threads put, one takes.
template <class Item>
class Inbox {
 public:
  using Steady = std::chrono::steady_clock;
  enum class Put { accepted, full, closed };

  explicit Inbox(std::size_t limit) : limit_(limit) {}

  // Takes `item` over if accepted; leaves it with the caller otherwise.
  Put put(Item& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Put::closed;
      if (items_.size() >= limit_) return Put::full;
      items_.push_back(std::move(item));
      if (items_.size() != wake_at_) return Put::accepted;
    }
    arrived_.notify_one();
    return Put::accepted;
  }

  // When a taker that found something may leave with it: at `not_before`, or with `enough` items.
  struct Pace {
    Steady::time_point not_before;
    std::size_t enough = 1;
  };

  // Waits until there is something and its pace allows to go, then moves up to `max` items into
  // `out` (cleared first). False when the inbox is closed and empty: nothing will come any more.
  bool take(std::vector<Item>& out, std::size_t max, const Pace& pace = {}) {
    out.clear();
    std::unique_lock lock(mutex_);
    const auto at_least = [this](std::size_t wanted) {
      wake_at_ = wanted;
      return closed_ || nudged_ || items_.size() >= wanted;
    };
    arrived_.wait(lock, [&] { return at_least(1); });
    arrived_.wait_until(lock, pace.not_before, [&] { return at_least(pace.enough); });
    wake_at_ = k_nobody_waits;
    nudged_ = false;
    const auto end = items_.begin() + static_cast<std::ptrdiff_t>(std::min(max, items_.size()));
    std::move(items_.begin(), end, std::back_inserter(out));
    items_.erase(items_.begin(), end);
    return !out.empty() || !closed_;
  }

  // Moves the oldest item into `item`; false if there is none. Never waits.
  bool try_take(Item& item) {
    const std::lock_guard lock(mutex_);
    if (items_.empty()) return false;
    item = std::move(items_.front());
    items_.pop_front();
    return true;
  }

  // Makes one take() return, with an empty batch if nothing waits.
  void nudge() {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
    arrived_.notify_one();
  }

  // Refuses from now on; what is inside can still be taken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    arrived_.notify_one();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  static constexpr std::size_t k_nobody_waits = 0;

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Item> items_;
  std::size_t wake_at_ = k_nobody_waits;  // with so many items the taker is woken
  bool nudged_ = false;
  bool closed_ = false;
};

}  // namespace otpd::storage::sqlite
