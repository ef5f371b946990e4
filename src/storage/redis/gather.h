// gather: awaits several tasks at once.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/task.h"

namespace otpd::storage::redis {

// The results in the order of the tasks, which run side by side on the caller's loop. What is not
// there by the deadline is a Failure::timeout; its task runs on, so it must own what it uses.
template <class T>
Task<std::vector<Result<T>>> gather(std::vector<Task<Result<T>>> tasks, Millis deadline) {
  struct Gathered {
    std::vector<std::optional<Result<T>>> results;
    std::size_t missing;
    std::optional<Callback<Result<bool>>> done;
  };
  const auto gathered = std::make_shared<Gathered>();
  gathered->results.resize(tasks.size());
  gathered->missing = tasks.size();
  const Executor executor = co_await this_executor();
  auto run = [](std::shared_ptr<Gathered> all, std::size_t i, Task<Result<T>> task) -> Task<void> {
    all->results[i] = co_await std::move(task);
    if (--all->missing == 0) (*all->done)(true);
  };
  auto start = [&](Callback<Result<bool>> done) {
    gathered->done = std::move(done);
    if (tasks.empty()) (*gathered->done)(true);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      boost::asio::co_spawn(executor, run(gathered, i, std::move(tasks[i])), boost::asio::detached);
    }
  };
  (void)co_await await_callback<bool>(deadline, start);
  std::vector<Result<T>> results;
  for (std::optional<Result<T>>& result : gathered->results) {
    if (result) {
      results.push_back(std::move(*result));
      result.reset();
    } else {
      results.push_back(fail(Failure::timeout, "no answer within the deadline"));
    }
  }
  co_return results;
}

}  // namespace otpd::storage::redis
