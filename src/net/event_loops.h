// EventLoops: a fixed set of threads, each running one io_context.
#pragma once

#include <utility>
//
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/task.h"

namespace otpd::net {

class EventLoops {
 public:
  // Starts `count` threads (at least 1) named `name`-0, `name`-1, ….
  EventLoops(std::size_t count, std::string name);
  // Stops the loops and joins their threads; what still waits on them is dropped.
  ~EventLoops();
  EventLoops(const EventLoops&) = delete;
  EventLoops& operator=(const EventLoops&) = delete;

  std::size_t size() const { return loops_.size(); }
  // The i-th loop; valid while this object lives.
  boost::asio::io_context& operator[](std::size_t i) { return *loops_[i]; }

  // Stops and joins; idempotent. Objects bound to the loops may be destroyed afterwards.
  void stop();

 private:
  std::vector<std::unique_ptr<boost::asio::io_context>> loops_;
  std::list<boost::asio::executor_work_guard<Executor>> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace otpd::net
