// Guarded: a value that several threads share. It is only reached by a function that is done with
// it at once, so no lock is ever held across a wait.
#pragma once

#include <mutex>
#include <utility>

namespace otpd {

template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  // What `work(value)` returns. It must not wait, nor come back here.
  template <class Work>
  auto with(Work work) {
    const std::lock_guard lock(mutex_);
    return work(value_);
  }
  template <class Work>
  auto with(Work work) const {
    const std::lock_guard lock(mutex_);
    return work(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace otpd
