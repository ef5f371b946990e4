// Pool: threads that each have a session, and the bounded queue before them.
//
// While PostgreSQL is away, calls are refused at once instead of queueing up; the threads try to
// come back by themselves, at growing intervals.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/task.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

class Pool {
 public:
  // Runs on a thread of the pool with its session, or at once with the refusal.
  using Work = std::move_only_function<void(Result<Session*>)>;
  // Done with every new connection before it is used.
  using Preface = std::function<Result<void>(Session&)>;

  // `config` and `metrics` outlive the pool.
  Pool(const PostgresConfig& config, Metrics& metrics, Preface preface);
  ~Pool() { stop(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void start();

  // Waits until the first connection is made or refused. Its failure if it was.
  Result<void> first_connection();

  // Awaits `work(Session&) -> Result<T>`, which may block until the deadline of the call. Failures:
  // unavailable, overloaded, timeout (whether anything was done is then not known), and those of
  // `work`. A call whose deadline passed while it waited is not begun. The caller keeps the pool
  // alive. Safe from any thread.
  template <class T, class Function>
  Task<Result<T>> ask(Function work);
  // The same with another time limit than the configured one, which the server must also allow:
  // see `SET LOCAL statement_timeout`.
  template <class T, class Function>
  Task<Result<T>> ask_within(Millis limit, Function work);

  // Does and answers what waits, refuses from now on, and ends the threads. Idempotent.
  void stop();

 private:
  struct Call {
    Steady::time_point deadline;
    Work work;
  };

  void submit(Call call);
  std::optional<Error> refusal() const;  // of a further call; under mutex_
  void run(int index);
  bool connect(Session& session);
  std::optional<Call> next_call();
  void serve(Session& session, Call call);
  void note_connected();
  void note_lost();
  void note_failed(Error error);
  bool pause(Millis duration);
  void refuse(std::deque<Call> calls, const Error& error);

  const PostgresConfig& config_;
  const Preface preface_;
  Gauge connections_;
  Gauge waiting_;
  Counter failures_;
  Histogram seconds_;

  std::mutex mutex_;
  std::condition_variable arrived_;  // a call, or the end
  std::condition_variable changed_;  // whether somebody is connected, or the end
  std::deque<Call> calls_;
  std::size_t connected_ = 0;
  std::optional<Error> away_;  // why nobody is connected; nothing: somebody is, or nobody tried yet
  bool tried_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

template <class T, class Function>
Task<Result<T>> Pool::ask(Function work) {
  return ask_within<T>(config_.call_timeout, std::move(work));
}

template <class T, class Function>
Task<Result<T>> Pool::ask_within(Millis limit, Function work) {
  auto start = [&](Callback<Result<T>> done) {
    submit({Steady::now() + limit,
            [done = std::move(done), work = std::move(work)](Result<Session*> session) mutable {
              if (!session) return done(std::unexpected(session.error()));
              done(work(**session));
            }});
  };
  co_return co_await await_callback<T>(limit, start);
}

}  // namespace otpd::storage::postgres
