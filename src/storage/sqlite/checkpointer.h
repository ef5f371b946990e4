// Checkpointer: moves what was committed from the WAL into the database, beside the writer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/writer.h"

namespace otpd::storage::sqlite {

// A checkpoint on the writer's connection would make whoever commits next wait for it. This
// thread copies instead (a PASSIVE checkpoint, which blocks nobody) as soon as the WAL is long.
// The WAL starts again from its beginning only when everything was copied at one instant, which
// under load never happens by itself: when it grows too long, or when the writer is idle, the
// writer is asked to copy the short rest between two transactions.
class Checkpointer {
 public:
  // `connection` is this thread's own; `watched` is the writer's and must not be in use yet.
  Checkpointer(Connection& connection, Connection& watched, Writer& writer);
  ~Checkpointer() { stop(); }
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void start();

  // Before the writer is stopped. Idempotent.
  void stop();

  // Bytes in the WAL that a crash would have to replay.
  std::uint64_t wal_bytes() const;

 private:
  enum class Work { none, copy, finish, truncate };

  static int on_commit(void* self, sqlite3* db, const char* schema, int frames);
  void run();
  Work choose();
  void copy();
  void finish_on_writer(Work work);

  Connection& connection_;
  Connection& watched_;
  Writer& writer_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t frames_ = 0;  // in the WAL since it last started anew
  std::uint64_t copied_ = 0;  // of them, in the database already
  std::chrono::steady_clock::time_point last_commit_;
  bool asked_ = false;  // the writer was asked and has not answered
  bool stopping_ = false;
};

}  // namespace otpd::storage::sqlite
