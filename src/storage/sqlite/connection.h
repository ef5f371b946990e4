// Connection: one SQLite connection and its prepared statements.
//
// Errors stick: after the first one every statement is a no-op that yields nothing, until the
// transaction (or the read) ends and reports it. So the SQL reads in one line each, and nothing
// decided after an error is ever acted upon. For one thread at a time.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace otpd::storage::sqlite {

// Marks bytes that are stored as BLOB; a plain string is stored as TEXT.
struct Blob {
  std::string_view bytes;
};

class Connection {
 public:
  Connection() = default;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Opens the existing file and sets what every connection has: a busy timeout, synchronous=FULL
  // and no automatic checkpoint.
  Result<void> open(const std::string& path);

  // Runs statements that yield no rows.
  void run(const char* sql);
  // The first column of the first row as a number or as text; 0 or empty if there is none.
  std::int64_t number(const char* sql);
  std::string text(const char* sql);

  // Begin a transaction that writes, or one snapshot for a series of reads.
  void begin_write() { run_kept(begin_write_, "BEGIN IMMEDIATE"); }
  void begin_read() { run_kept(begin_read_, "BEGIN"); }

  // Ends a transaction, or a series of reads: commits, or rolls back if anything failed since, and
  // forgets the failure after returning it.
  Result<void> end();

  // Statements that still run at `deadline` fail with Failure::timeout.
  void stop_at(std::chrono::steady_clock::time_point deadline);

  bool ok() const { return code_ == 0; }
  // The failure that sticks, forgotten by this call; ok() before: success.
  Result<void> take_failure();
  // Makes the failure stick unless one does already. `code` is an SQLite result code.
  void note(int code);

  sqlite3* raw() const { return db_; }

 private:
  // Prepares `sql` into `kept` the first time.
  void run_kept(sqlite3_stmt*& kept, const char* sql);

  sqlite3* db_ = nullptr;
  sqlite3_stmt* begin_write_ = nullptr;
  sqlite3_stmt* begin_read_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  int code_ = 0;
  std::string message_;
  std::chrono::steady_clock::time_point deadline_;
};

// Makes the connection wait for another one's lock for so long, while it lives.
class BusyTimeout {
 public:
  BusyTimeout(Connection& connection, Millis timeout);
  ~BusyTimeout();
  BusyTimeout(const BusyTimeout&) = delete;
  BusyTimeout& operator=(const BusyTimeout&) = delete;

 private:
  Connection& connection_;
};

// The rows of a running query. Resets the statement when it dies.
class Rows {
 public:
  Rows(Connection& connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // Moves to the next row; false at the end or after a failure.
  bool next();
  // Columns of the current row, from 0. NULL reads as 0 and as empty.
  std::int64_t number(int column) const;
  std::string bytes(int column) const;
  TimePoint time(int column) const { return TimePoint(Millis(number(column))); }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;
};

// A prepared statement. The strings bound to it must live until it has run.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... Args>
  Rows query(const Args&... args) {
    int index = 0;
    (bind(++index, args), ...);
    return Rows(connection_, statement_);
  }

  // Runs to the end; the number of rows it changed.
  template <class... Args>
  int execute(const Args&... args) {
    int index = 0;
    (bind(++index, args), ...);
    return step_to_end();
  }

  // Binds one argument, from 1.
  void bind(int index, std::int64_t value);
  void bind(int index, Blob value);
  void bind(int index, std::string_view value);
  void bind(int index, TimePoint value) { bind(index, value.time_since_epoch().count()); }
  void bind(int index, std::unsigned_integral auto value) {
    bind(index, static_cast<std::int64_t>(value));
  }
  Rows rows() { return Rows(connection_, statement_); }

 private:
  int step_to_end();

  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace otpd::storage::sqlite
