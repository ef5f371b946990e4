#include "storage/sqlite/connection.h"

#include <sqlite3.h>

#include <utility>

namespace otpd::storage::sqlite {
namespace {

constexpr int k_busy_timeout_ms = 5000;
constexpr int k_steps_between_looks = 10000;  // of SQLite's virtual machine; about a millisecond

Failure failure_kind(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Failure::corrupt;
    case SQLITE_INTERRUPT:
      return Failure::timeout;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return Failure::unavailable;
    default:
      return Failure::internal;
  }
}

}  // namespace

Connection::~Connection() {
  for (sqlite3_stmt* kept : {begin_write_, begin_read_, commit_}) sqlite3_finalize(kept);
  sqlite3_close_v2(db_);
}

Result<void> Connection::open(const std::string& path) {
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  note(sqlite3_open_v2(path.c_str(), &db_, flags, nullptr));
  if (ok()) note(sqlite3_busy_timeout(db_, k_busy_timeout_ms));
  run("PRAGMA synchronous=FULL");
  run("PRAGMA wal_autocheckpoint=0");
  run("PRAGMA temp_store=MEMORY");
  auto opened = take_failure();
  if (!opened) opened.error().message = path + ": " + opened.error().message;
  return opened;
}

void Connection::run(const char* sql) {
  if (ok()) note(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr));
}

std::int64_t Connection::number(const char* sql) {
  Statement statement(*this, sql);
  Rows rows = statement.query();
  return rows.next() ? rows.number(0) : 0;
}

std::string Connection::text(const char* sql) {
  Statement statement(*this, sql);
  Rows rows = statement.query();
  return rows.next() ? rows.bytes(0) : std::string();
}

void Connection::run_kept(sqlite3_stmt*& kept, const char* sql) {
  if (!ok()) return;
  if (kept == nullptr) {
    note(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &kept, nullptr));
  }
  if (!ok()) return;
  note(sqlite3_step(kept));
  sqlite3_reset(kept);
}

Result<void> Connection::end() {
  run_kept(commit_, "COMMIT");
  Result<void> result = take_failure();
  if (!result && sqlite3_get_autocommit(db_) == 0) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return result;
}

void Connection::stop_at(std::chrono::steady_clock::time_point deadline) {
  deadline_ = deadline;
  auto is_late = [](void* self) {
    return std::chrono::steady_clock::now() >= static_cast<Connection*>(self)->deadline_ ? 1 : 0;
  };
  sqlite3_progress_handler(db_, k_steps_between_looks, is_late, this);
}

Result<void> Connection::take_failure() {
  if (ok()) return {};
  const int code = std::exchange(code_, 0);
  return fail(failure_kind(code),
              "database: " + std::exchange(message_, {}) + " (code " + std::to_string(code) + ")");
}

void Connection::note(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE || !ok()) return;
  code_ = code;
  message_ = db_ != nullptr ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
}

BusyTimeout::BusyTimeout(Connection& connection, Millis timeout) : connection_(connection) {
  sqlite3_busy_timeout(connection_.raw(), static_cast<int>(timeout.count()));
}

BusyTimeout::~BusyTimeout() {
  sqlite3_busy_timeout(connection_.raw(), k_busy_timeout_ms);
}

Rows::~Rows() {
  // The result repeats the failure of the last step, which next() noted.
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

bool Rows::next() {
  if (!connection_.ok()) return false;
  const int code = sqlite3_step(statement_);
  connection_.note(code);
  return code == SQLITE_ROW;
}

std::int64_t Rows::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Rows::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data != nullptr ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  if (!connection_.ok()) return;
  connection_.note(sqlite3_prepare_v3(connection_.raw(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

void Statement::bind(int index, std::int64_t value) {
  if (connection_.ok()) connection_.note(sqlite3_bind_int64(statement_, index, value));
}

void Statement::bind(int index, Blob value) {
  if (!connection_.ok()) return;
  // A null pointer would be stored as NULL.
  const char* data = value.bytes.empty() ? "" : value.bytes.data();
  connection_.note(sqlite3_bind_blob(statement_, index, data, static_cast<int>(value.bytes.size()),
                                     SQLITE_STATIC));
}

void Statement::bind(int index, std::string_view value) {
  if (!connection_.ok()) return;
  const char* data = value.empty() ? "" : value.data();
  connection_.note(
      sqlite3_bind_text(statement_, index, data, static_cast<int>(value.size()), SQLITE_STATIC));
}

int Statement::step_to_end() {
  Rows rows(connection_, statement_);
  while (rows.next()) {
  }
  return connection_.ok() ? sqlite3_changes(connection_.raw()) : 0;
}

}  // namespace otpd::storage::sqlite
