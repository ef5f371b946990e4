#include "net/event_loops.h"

#include <pthread.h>

#include <algorithm>

namespace otpd::net {

EventLoops::EventLoops(std::size_t count, std::string name) {
  count = std::max<std::size_t>(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    // One thread runs each loop: 1 lets Asio skip waking others.
    loops_.push_back(std::make_unique<boost::asio::io_context>(1));
    guards_.emplace_back(loops_.back()->get_executor());
  }
  for (std::size_t i = 0; i < count; ++i) {
    threads_.emplace_back([loop = loops_[i].get()] { loop->run(); });
    // The kernel keeps 15 characters of a thread's name.
    const std::string thread_name = (name + "-" + std::to_string(i)).substr(0, 15);
    pthread_setname_np(threads_.back().native_handle(), thread_name.c_str());
  }
}

EventLoops::~EventLoops() {
  stop();
}

void EventLoops::stop() {
  for (auto& loop : loops_) loop->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  guards_.clear();
}

}  // namespace otpd::net
