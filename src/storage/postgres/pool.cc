#include "storage/postgres/pool.h"

#include <pthread.h>

#include <algorithm>
#include <string>

#include "base/log.h"

namespace otpd::storage::postgres {
namespace {

constexpr Millis k_first_pause{100};
constexpr Millis k_longest_pause{2'000};

}  // namespace

Pool::Pool(const PostgresConfig& config, Metrics& metrics, Preface preface)
    : config_(config),
      preface_(std::move(preface)),
      connections_(metrics.gauge("otpd_postgres_connections", "Connections to PostgreSQL")),
      waiting_(metrics.gauge("otpd_postgres_waiting_calls", "Calls that wait for a connection")),
      failures_(metrics.counter("otpd_postgres_failures_total",
                                "Connections to PostgreSQL that were lost or not made")),
      seconds_(metrics.seconds("otpd_postgres_call_seconds",
                               "Time of a call to PostgreSQL, without waiting for a connection")) {}

void Pool::start() {
  for (std::size_t i = 0; i < std::max<std::size_t>(config_.connections, 1); ++i) {
    threads_.emplace_back([this, i] { run(static_cast<int>(i)); });
  }
}

Result<void> Pool::first_connection() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tried_ || stopping_; });
  if (away_) return std::unexpected(*away_);
  return {};
}

void Pool::submit(Call call) {
  std::unique_lock lock(mutex_);
  if (auto refused = refusal()) {
    lock.unlock();
    return call.work(std::unexpected(std::move(*refused)));
  }
  calls_.push_back(std::move(call));
  waiting_.set(static_cast<double>(calls_.size()));
  lock.unlock();
  arrived_.notify_one();
}

std::optional<Error> Pool::refusal() const {
  if (stopping_) return Error{Failure::unavailable, "the connection to PostgreSQL is being closed"};
  if (away_) return away_;
  if (calls_.size() < config_.queue_limit) return std::nullopt;
  return Error{Failure::overloaded, "too many calls wait for PostgreSQL"};
}

void Pool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  refuse(std::exchange(calls_, {}),
         {Failure::unavailable, "the connection to PostgreSQL is being closed"});
}

void Pool::run(int index) {
  pthread_setname_np(pthread_self(), ("postgres-" + std::to_string(index)).c_str());
  Session session(config_);
  Millis backoff = k_first_pause;
  while (true) {
    if (!session.connected() && !connect(session)) {
      // Not all at the same instants.
      if (!pause(backoff + backoff * (index % 8) / 8)) return;
      backoff = std::min(2 * backoff, k_longest_pause);
      continue;
    }
    backoff = k_first_pause;
    auto call = next_call();
    if (!call) break;
    // The server may have gone and come back since the last call.
    if (!session.still_connected()) {
      note_lost();
      if (!connect(session)) {
        call->work(fail(Failure::unavailable, "PostgreSQL closed the connection"));
        continue;
      }
    }
    serve(session, std::move(*call));
    if (!session.connected()) note_lost();
  }
}

bool Pool::connect(Session& session) {
  Result<void> connected = session.connect();
  if (connected) {
    session.start_call(Steady::now() + config_.call_timeout);
    connected = preface_(session);
    if (!connected) session.close();
  }
  if (connected) {
    note_connected();
  } else {
    note_failed(connected.error());
  }
  return connected.has_value();
}

std::optional<Pool::Call> Pool::next_call() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return stopping_ || !calls_.empty(); });
  if (calls_.empty()) return std::nullopt;
  Call call = std::move(calls_.front());
  calls_.pop_front();
  waiting_.set(static_cast<double>(calls_.size()));
  return call;
}

void Pool::serve(Session& session, Call call) {
  const auto begin = Steady::now();
  if (begin >= call.deadline) {
    return call.work(fail(Failure::timeout, "no connection was free within the deadline"));
  }
  session.start_call(call.deadline);
  call.work(&session);
  seconds_.observe(std::chrono::duration<double>(Steady::now() - begin).count());
}

void Pool::note_connected() {
  bool back = false;
  {
    const std::lock_guard lock(mutex_);
    connections_.set(static_cast<double>(++connected_));
    back = away_.has_value();
    away_.reset();
    tried_ = true;
  }
  changed_.notify_all();
  if (back) log::info("PostgreSQL is back");
}

void Pool::note_lost() {
  const std::lock_guard lock(mutex_);
  connections_.set(static_cast<double>(--connected_));
  failures_.add();
}

// The calls that wait are refused when nobody is connected any more.
void Pool::note_failed(Error error) {
  if (error.kind == Failure::timeout) error.kind = Failure::unavailable;
  std::deque<Call> refused;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    failures_.add();
    tried_ = true;
    if (connected_ == 0) {
      first = !away_;
      away_ = error;
      refused = std::exchange(calls_, {});
      waiting_.set(0);
    }
  }
  changed_.notify_all();
  if (first) log::error("PostgreSQL is away", {{"reason", error.message}});
  refuse(std::move(refused), error);
}

// False when the pool stops.
bool Pool::pause(Millis duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return stopping_; });
}

void Pool::refuse(std::deque<Call> calls, const Error& error) {
  for (Call& call : calls) call.work(std::unexpected(error));
}

}  // namespace otpd::storage::postgres
