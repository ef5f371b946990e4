#include "storage/sqlite/writer.h"

#include <pthread.h>

#include <utility>

#include "base/log.h"

namespace otpd::storage::sqlite {
namespace {

Result<void> refusal(bool full) {
  if (full) return fail(Failure::overloaded, "too many commits wait for the database");
  return fail(Failure::unavailable, "the database is being closed");
}

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

WriterMetrics::WriterMetrics(Metrics& metrics)
    : commit_seconds(metrics.seconds("otpd_store_commit_seconds",
                                     "Time from a write's arrival at the store to its answer")),
      transactions(metrics.counter("otpd_store_transactions_total",
                                   "Transactions that the store has committed")),
      operations(metrics.counter("otpd_store_operations_total",
                                 "Writes that went into those transactions")),
      failed_transactions(metrics.counter("otpd_store_failed_transactions_total",
                                          "Transactions that could not be written")),
      queue_depth(metrics.gauge("otpd_store_write_queue", "Writes that wait for the writer")) {}

Writer::Writer(const Config& config, Connection& connection, Metrics& metrics)
    : config_(config),
      tables_(connection),
      metrics_(metrics),
      inbox_(config.queue_limit),
      interludes_(k_interlude_limit) {}

Result<void> Writer::start() {
  if (auto prepared = tables_.connection().take_failure(); !prepared) return prepared;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "store-writer");
    run();
  });
  return {};
}

void Writer::submit(std::unique_ptr<Operation> operation) {
  operation->submitted = std::chrono::steady_clock::now();
  const auto put = inbox_.put(operation);
  using Put = Inbox<std::unique_ptr<Operation>>::Put;
  if (put != Put::accepted) operation->finish(refusal(put == Put::full));
}

bool Writer::interlude(Interlude work) {
  if (interludes_.put(work) != Inbox<Interlude>::Put::accepted) return false;
  inbox_.nudge();
  return true;
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  interludes_.close();
  inbox_.close();
  thread_.join();
}

void Writer::run() {
  std::vector<std::unique_ptr<Operation>> batch;
  std::chrono::steady_clock::time_point begun;
  while (inbox_.take(batch, config_.batch_limit, {begun + config_.pace, config_.pace_limit})) {
    begun = std::chrono::steady_clock::now();
    run_batch(batch);
    run_interlude();
  }
  while (interludes_.size() > 0) run_interlude();
}

void Writer::run_batch(std::vector<std::unique_ptr<Operation>>& batch) {
  if (batch.empty()) return;
  metrics_.queue_depth.set(static_cast<double>(inbox_.size()));
  const Result<void> result = transact(batch);
  const auto now = std::chrono::steady_clock::now();
  for (const auto& operation : batch) {
    operation->finish(result);
    metrics_.commit_seconds.observe(seconds_between(operation->submitted, now));
  }
  batch.clear();
}

// Answers late operations and leaves those of the transaction in `batch`.
Result<void> Writer::transact(std::vector<std::unique_ptr<Operation>>& batch) {
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(batch, [now](const std::unique_ptr<Operation>& operation) {
    if (operation->deadline > now) return false;
    operation->finish(fail(Failure::timeout, "the write waited for too long"));
    return true;
  });
  Connection& connection = tables_.connection();
  connection.begin_write();
  for (const auto& operation : batch) operation->apply(tables_);
  Result<void> result = connection.end();
  tables_.transaction_ended(result.has_value());
  healthy_ = result.has_value();
  metrics_.operations.add(static_cast<double>(batch.size()));
  (result ? metrics_.transactions : metrics_.failed_transactions).add();
  if (!result)
    log::error("a transaction could not be written", {{"error", result.error().message}});
  return result;
}

void Writer::run_interlude() {
  Interlude work;
  if (!interludes_.try_take(work)) return;
  work(tables_);
  if (interludes_.size() > 0) inbox_.nudge();
}

}  // namespace otpd::storage::sqlite
