// Writer: the one thread that writes, with group commit.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "storage/sqlite/inbox.h"
#include "storage/sqlite/tables.h"

namespace otpd::storage::sqlite {

// One call's share of a transaction.
class Operation {
 public:
  virtual ~Operation() = default;

  // Reads and writes inside the transaction, together with other operations. Must not write
  // anything if its own condition does not hold: there is no undoing one operation alone.
  virtual void apply(Tables& tables) = 0;

  // Called once, after the transaction: publishes and answers. With a failure nothing of the
  // operation is known to be written.
  virtual void finish(const Result<void>& transaction) = 0;

  // Nobody waits for the answer after this; the operation is dropped then, unapplied.
  std::chrono::steady_clock::time_point deadline;
  std::chrono::steady_clock::time_point submitted;
};

// What the writer shows of itself.
struct WriterMetrics {
  explicit WriterMetrics(Metrics& metrics);
  Histogram commit_seconds;  // from a call's arrival to its answer
  Counter transactions;
  Counter operations;
  Counter failed_transactions;
  Gauge queue_depth;
};

class Writer {
 public:
  using Interlude = std::move_only_function<void(Tables&)>;

  struct Config {
    std::size_t queue_limit;
    std::size_t batch_limit;
    std::chrono::milliseconds pace;  // see SqliteConfig, like `pace_limit`
    std::size_t pace_limit;
  };

  // `connection` must be open and migrated, and be left to the writer until stop().
  Writer(const Config& config, Connection& connection, Metrics& metrics);
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Starts the thread; failures: what preparing the statements says.
  Result<void> start();

  // Queues the operation; finish() is called here, at once, if that is refused (overloaded,
  // unavailable). Safe from any thread.
  void submit(std::unique_ptr<Operation> operation);

  // Queues work that the writer does between two transactions, one piece between any two. False
  // if the writer has stopped. Safe from any thread.
  bool interlude(Interlude work);

  // Writes and answers what waits, then ends the thread. Idempotent.
  void stop();

  // Whether the last transaction could be written. Safe from any thread.
  bool healthy() const { return healthy_; }

 private:
  static constexpr std::size_t k_interlude_limit = 64;

  void run();
  void run_batch(std::vector<std::unique_ptr<Operation>>& batch);
  void run_interlude();
  Result<void> transact(std::vector<std::unique_ptr<Operation>>& batch);

  const Config config_;
  Tables tables_;
  WriterMetrics metrics_;
  Inbox<std::unique_ptr<Operation>> inbox_;
  Inbox<Interlude> interludes_;
  std::atomic<bool> healthy_{true};
  std::thread thread_;
};

}  // namespace otpd::storage::sqlite
