// Session: one connection to PostgreSQL and its prepared statements.
//
// Errors stick: after the first one every statement is a no-op that yields nothing, until the
// transaction (or take_failure()) reports it. So the SQL reads in one line each, and nothing
// decided after an error is ever acted upon. Nothing waits beyond the call's deadline: a statement
// that is not answered by then costs the connection. For one thread at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/postgres/backend.h"
#include "storage/postgres/values.h"

struct pg_conn;

namespace otpd::storage::postgres {

using Steady = std::chrono::steady_clock;
using Arguments = std::vector<Argument>;

// Nothing, or Failure::invalid if libpq cannot read the URL. The message does not repeat it.
Result<void> check_url(const Secret& url);

class Session {
 public:
  // `config` outlives the session.
  explicit Session(const PostgresConfig& config) : config_(config) {}
  ~Session() { close(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Connects within the connect timeout. Failures: unavailable, timeout.
  Result<void> connect();
  void close();
  bool connected() const { return connection_ != nullptr; }
  // False, and closed, if the peer has closed the idle connection. Asks nobody.
  bool still_connected();

  // Statements from now on wait until `deadline`; forgets an earlier failure.
  void start_call(Steady::time_point deadline);

  // Runs a statement that is prepared at its first use; `sql` must live as long as the program.
  Rows run(std::string_view sql, const Arguments& arguments = {});
  // Runs a statement that is planned for these arguments.
  Rows run_once(const std::string& sql, const Arguments& arguments = {});
  // Runs statements that take nothing and yield nothing.
  void script(const std::string& sql);

  bool ok() const { return !failure_; }
  // The failure that sticks, forgotten by this call; ok() before: success.
  Result<void> take_failure();
  // Makes a failure stick unless one does already.
  void note(Error error);
  // The SQLSTATE of the last failure that a statement had; empty if none had one.
  const std::string& failed_state() const { return failed_state_; }

  // Runs `body() -> T` in a transaction and commits, or rolls back if anything failed. A
  // transaction that lost a race (a deadlock, the same key inserted twice) is tried again, so
  // `body` may run more than once.
  template <class T, class Body>
  Result<T> transact(Body body);

 private:
  static constexpr int k_transaction_tries = 5;

  Result<void> set_up();
  bool finish_connecting();
  std::optional<std::string> prepare(std::string_view sql, const Arguments& arguments);
  Rows finish();
  bool flush();
  bool wait_for(short events);
  void note_result(const pg_result* result);
  void lose();
  bool lost_race() const;
  Result<void> end_transaction();

  const PostgresConfig& config_;
  pg_conn* connection_ = nullptr;
  Steady::time_point deadline_;
  std::unordered_map<std::string_view, std::string> prepared_;
  std::optional<Error> failure_;
  std::string failed_state_;
};

template <class T, class Body>
Result<T> Session::transact(Body body) {
  for (int tries = 1;; ++tries) {
    script("BEGIN");
    T out = body();
    Result<void> ended = end_transaction();
    if (ended) return out;
    if (tries == k_transaction_tries || !lost_race()) return std::unexpected(ended.error());
  }
}

}  // namespace otpd::storage::postgres
