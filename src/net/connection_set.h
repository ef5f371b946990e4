// ConnectionSet: the open connections of one loop, and the watchman that ends the late ones.
#pragma once

#include <chrono>
#include <memory>
#include <unordered_set>

#include "base/task.h"

namespace otpd::net {

using Steady = std::chrono::steady_clock;

// What a loop must be able to tell each of its connections. All calls come on the loop.
class Connection {
 public:
  virtual ~Connection() = default;
  // The deadline passed.
  virtual void expire() = 0;
  // No more requests are wanted.
  virtual void drain() = 0;
  // Ends now.
  virtual void abort() = 0;

  Steady::time_point deadline = Steady::time_point::max();
};

// Looks at every deadline once per `tick`: moving a deadline costs a store, not a timer, and a
// connection lives at most one tick longer than it may. For one loop; make it as a shared_ptr.
class ConnectionSet : public std::enable_shared_from_this<ConnectionSet> {
 public:
  ConnectionSet(Executor loop, Millis tick) : timer_(loop), tick_(tick) {}

  void add(Connection& connection) {
    open_.insert(&connection);
    if (!watching_) watch();
  }
  void remove(Connection& connection) { open_.erase(&connection); }

  std::size_t size() const { return open_.size(); }

  void drain_all() {
    for (Connection* connection : open_) connection->drain();
  }
  void abort_all() {
    for (Connection* connection : open_) connection->abort();
  }

 private:
  void watch() {
    watching_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) { self->look(); });
  }
  void look() {
    watching_ = false;
    const Steady::time_point now = Steady::now();
    for (Connection* connection : open_) {
      if (connection->deadline <= now) connection->expire();
    }
    if (!open_.empty()) watch();
  }

  Timer timer_;
  Millis tick_;
  std::unordered_set<Connection*> open_;
  bool watching_ = false;
};

}  // namespace otpd::net
