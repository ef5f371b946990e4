// Tables: what the writer does inside a transaction, one SQL statement a line.
//
// Nothing here fails by itself: an error sticks to the connection and fails the transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "base/clock.h"
#include "otp/store.h"
#include "storage/sqlite/connection.h"

namespace otpd::storage::sqlite {

// The numbers that are the records' versions. They grow for ever: a durable ceiling is raised in
// steps, and what a crash leaves unused below it is never used.
class Numbers {
 public:
  // Reads the ceiling; numbers start above it.
  explicit Numbers(Connection& connection);

  // A number never given before. Only inside a transaction; raises the ceiling there if need be.
  std::uint64_t next();
  // Raises the ceiling a little, for the sake of writing something.
  void raise();
  // How the transaction ended: only a committed ceiling counts.
  void transaction_ended(bool committed);

 private:
  Statement raise_;
  std::uint64_t next_;
  std::uint64_t ceiling_;
  std::uint64_t pending_ceiling_;
};

// The end of the chain of audit lines, with those of the transaction under way.
class ChainEnd {
 public:
  explicit ChainEnd(Connection& connection);

  // With the lines that are not committed yet.
  const audit::Head& head() const { return pending_; }
  void move_to(audit::Head head) { pending_ = std::move(head); }
  // Remembers where the chain ends, before lines are taken away. Only inside a transaction.
  void keep() { keep_.execute(committed_.number, Blob{committed_.hash}); }
  void transaction_ended(bool committed);

 private:
  Statement keep_;
  audit::Head committed_;
  audit::Head pending_;
};

// How often the file was opened for writing, this time included; durable at once.
Result<std::uint64_t> count_opening(Connection& connection);

class Tables {
 public:
  explicit Tables(Connection& connection);

  // Store::commit. The record's new version (0: deleted or never there), or nothing on conflict;
  // then nothing was written.
  std::optional<std::uint64_t> put(const otp::Key& key, std::uint64_t expected,
                                   const std::string& bytes, TimePoint expires_at);

  // False if the job's id is there already, waiting or dead; then nothing was written.
  bool enqueue(const otp::NewJob& job);
  // Ends a try of a job, after `attempts`; `now` is when a job dies that dies.
  void finish(const otp::JobEnd& end, std::uint32_t attempts, TimePoint now);
  // Adds a line to the chain, unless one of the event's id is there already.
  void append(const audit::Event& event);
  void add(const audit::Checkpoint& checkpoint);

  // Writes something that means nothing, to learn whether the disk takes it.
  void touch() { numbers_.raise(); }

  // Makes a dead letter whose code lives at `now` a waiting job again. Nothing if it is none.
  std::optional<otp::NewJob> revive(const std::string& id, TimePoint now);

  // Purge steps: each removes at most `max` rows and stops early at `until` (of real time).
  using Until = std::chrono::steady_clock::time_point;
  std::vector<otp::Key> delete_expired_records(TimePoint now, std::size_t max, Until until);
  std::size_t blank_expired_letters(TimePoint now, std::size_t max, Until until);
  std::size_t delete_dead_letters(TimePoint died_before, std::size_t max, Until until);
  std::size_t delete_events(TimePoint before, std::size_t max, Until until);

  Connection& connection() { return connection_; }
  // How the transaction ended.
  void transaction_ended(bool committed);

 private:
  // Runs `change` for every key that `find` yields.
  std::vector<std::string> change_each(Statement& find, TimePoint before, std::size_t max,
                                       Until until, Statement& change);

  Connection& connection_;
  Numbers numbers_;
  ChainEnd chain_;
  Statement exists_, insert_, update_, postpone_, delete_;
  Statement enqueue_, done_, retry_, dead_;
  Statement append_, add_checkpoint_;
  Statement find_expired_, delete_record_;
  Statement find_letter_, revive_;
  Statement find_sealed_, blank_, find_dead_, delete_job_;
  Statement find_old_events_, delete_event_;
};

}  // namespace otpd::storage::sqlite
