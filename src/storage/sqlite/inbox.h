// Inbox: the bounded queue before a thread that works in batches.
#pragma once

#include <algorithm>
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
  enum class Put { accepted, full, closed };

  explicit Inbox(std::size_t limit) : limit_(limit) {}

  // Takes `item` over if accepted; leaves it with the caller otherwise.
  Put put(Item& item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Put::closed;
      if (items_.size() >= limit_) return Put::full;
      items_.push_back(std::move(item));
      if (!std::exchange(taker_waits_, false)) return Put::accepted;
    }
    arrived_.notify_one();
    return Put::accepted;
  }

  // Waits until there is something, then moves up to `max` items into `out` (cleared first).
  // False when the inbox is closed and empty: nothing will come any more.
  bool take(std::vector<Item>& out, std::size_t max) {
    out.clear();
    std::unique_lock lock(mutex_);
    taker_waits_ = true;
    arrived_.wait(lock, [this] { return closed_ || !items_.empty() || nudged_; });
    taker_waits_ = false;
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
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Item> items_;
  bool taker_waits_ = false;
  bool nudged_ = false;
  bool closed_ = false;
};

}  // namespace otpd::storage::sqlite
