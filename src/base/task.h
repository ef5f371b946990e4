// Task: the one coroutine type, and the one bridge from callbacks to it.
#pragma once

// Boost 1.74's awaitable.hpp uses std::exchange without including it.
#include <utility>
//
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/result.h"

namespace otpd {

// Every event loop is one io_context run by one thread, so what runs on a loop needs no lock.
using Executor = boost::asio::io_context::executor_type;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

inline constexpr boost::asio::use_awaitable_t<Executor> use_task{};

// Hands a value back to a waiting coroutine. Call it once, from any thread.
template <class T>
using Callback = std::move_only_function<void(T)>;

// The loop that the calling coroutine runs on: `co_await this_executor()`.
inline auto this_executor() {
  return boost::asio::this_coro::executor;
}

// Suspends the coroutine, calls `start(Callback<Result<T>>)`, and resumes on the coroutine's own
// loop with what the callback got, or with Failure::timeout after `deadline`, whichever is first;
// what comes later is dropped. `start` runs on the loop and must not block.
template <class T, class Start>
Task<Result<T>> await_callback(Millis deadline, Start start);

// Suspends the coroutine for `duration` of real (not virtual) time.
inline Task<void> sleep_for(Millis duration) {
  Timer timer(co_await boost::asio::this_coro::executor, duration);
  co_await timer.async_wait(use_task);
}

namespace detail {

// Lives on the loop: the timer and the posted answer both run there, so no lock is needed.
template <class T, class Handler>
struct Waiting {
  Waiting(Executor executor, Handler h) : timer(executor), handler(std::move(h)) {}
  void finish(Result<T> result) {
    if (!handler) return;
    Handler h = std::move(*handler);
    handler.reset();
    timer.cancel();
    h(std::move(result));
  }
  Timer timer;
  std::optional<Handler> handler;
};

}  // namespace detail

template <class T, class Start>
Task<Result<T>> await_callback(Millis deadline, Start start) {
  auto initiate = [](auto handler, Millis limit, Start begin) {
    const Executor executor = boost::asio::get_associated_executor(handler);
    using Waiting = detail::Waiting<T, decltype(handler)>;
    auto waiting = std::make_shared<Waiting>(executor, std::move(handler));
    waiting->timer.expires_after(limit);
    waiting->timer.async_wait([waiting](boost::system::error_code cancelled) {
      if (!cancelled) waiting->finish(fail(Failure::timeout, "no answer within the deadline"));
    });
    begin(Callback<Result<T>>([waiting, executor](Result<T> result) mutable {
      boost::asio::post(executor,
                        [waiting = std::move(waiting), result = std::move(result)]() mutable {
                          waiting->finish(std::move(result));
                        });
    }));
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                                 void(Result<T>)>(std::move(initiate), use_task,
                                                                  deadline, std::move(start));
}

}  // namespace otpd
