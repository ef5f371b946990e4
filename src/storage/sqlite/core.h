// Core: the open database and its threads, shared by the ports and by the calls in flight.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/task.h"
#include "storage/backend.h"
#include "storage/doorbell.h"
#include "storage/job_book.h"
#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/file.h"
#include "storage/sqlite/known_keys.h"
#include "storage/sqlite/queries.h"
#include "storage/sqlite/reader.h"
#include "storage/sqlite/record_cache.h"
#include "storage/sqlite/writer.h"

namespace otpd::storage::sqlite {

class Core {
 public:
  // Opens and migrates the database and starts the threads: one writes, one answers the loads,
  // one the long queries (so that an audit search delays no load), one tends the WAL.
  static Result<std::shared_ptr<Core>> open(const SqliteConfig& config, const Clock& clock,
                                            Metrics& metrics);
  ~Core() { stop(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Wakes who waits, answers what is queued and ends the threads. Idempotent.
  void stop();

  // Awaits `read(Connection&) -> T` on `reader`. The caller keeps this Core alive.
  template <class T, class Read>
  Task<Result<T>> ask(Reader& reader, Read read);

  // Awaits an operation made with `make(Callback<Result<T>>) -> unique_ptr<Operation>`. The
  // caller keeps this Core alive.
  template <class T, class Make>
  Task<Result<T>> write(Make make);

  Writer& writer() { return *writer_; }
  Reader& loads() { return *loads_; }
  LoadQuery& load_query() { return *load_query_; }  // for the loads' thread alone
  Reader& queries() { return *queries_; }

  const SqliteConfig config;
  const Clock& clock;
  RecordCache cache;
  KnownKeys known_keys;
  JobBook jobs;
  const std::shared_ptr<Doorbell> jobs_bell = std::make_shared<Doorbell>();
  std::atomic<bool> purging{false};

 private:
  Core(const SqliteConfig& config, const Clock& clock, DatabaseFile file);
  Result<void> open_connections();
  Result<void> recover_jobs();
  // Reads the keys of all records, a part at a time.
  void learn_keys(Connection& connection);
  Result<void> start(Metrics& metrics);

  std::atomic<bool> stopping_{false};
  DatabaseFile file_;  // unlocked after everything else has gone
  Connection write_connection_, load_connection_, query_connection_, wal_connection_;
  std::optional<Writer> writer_;
  std::optional<LoadQuery> load_query_;
  std::optional<Reader> loads_, queries_;
  std::optional<Checkpointer> checkpointer_;
};

template <class T, class Read>
Task<Result<T>> Core::ask(Reader& reader, Read read) {
  auto start = [&](Callback<Result<T>> done) {
    auto answer = std::make_shared<T>();
    reader.submit({.ask = [answer, read = std::move(read)](
                              Connection& connection) mutable { *answer = read(connection); },
                   .answer =
                       [answer, done = std::move(done)](const Result<void>& reading) mutable {
                         if (!reading) return done(std::unexpected(reading.error()));
                         done(std::move(*answer));
                       }});
  };
  co_return co_await await_callback<T>(config.call_timeout, start);
}

template <class T, class Make>
Task<Result<T>> Core::write(Make make) {
  auto start = [&](Callback<Result<T>> done) {
    auto operation = make(std::move(done));
    operation->deadline = std::chrono::steady_clock::now() + config.call_timeout;
    writer_->submit(std::move(operation));
  };
  co_return co_await await_callback<T>(config.call_timeout, start);
}

}  // namespace otpd::storage::sqlite
