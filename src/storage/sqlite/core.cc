#include "storage/sqlite/core.h"

#include <sqlite3.h>

#include "storage/sqlite/schema.h"

namespace otpd::storage::sqlite {
namespace {

constexpr std::uint64_t k_page_size = 4096;
constexpr std::size_t k_loads_per_snapshot = 256;
constexpr std::size_t k_queries_waiting = 64;
constexpr std::size_t k_keys_at_a_time = 4096;
constexpr int k_lease_bits = 40;  // 10^12 leases of one opening

// SQLite's own memory statistics take a process-wide lock at every allocation.
void switch_statistics_off() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)once;  // SQLITE_MISUSE if SQLite is in use already: then they stay on
}

}  // namespace

Core::Core(const SqliteConfig& config_, const Clock& clock_, DatabaseFile file)
    : config(config_),
      clock(clock_),
      cache(config.cache_bytes),
      known_keys(config.key_index_bytes),
      file_(std::move(file)) {}

Result<std::shared_ptr<Core>> Core::open(const SqliteConfig& config, const Clock& clock,
                                         Metrics& metrics) {
  switch_statistics_off();
  auto file = DatabaseFile::open(config.path);
  if (!file) return std::unexpected(file.error());
  std::shared_ptr<Core> core(new Core(config, clock, std::move(*file)));
  if (auto opened = core->open_connections(); !opened) return std::unexpected(opened.error());
  if (auto started = core->start(metrics); !started) return std::unexpected(started.error());
  return core;
}

Result<void> Core::open_connections() {
  if (auto opened = write_connection_.open(config.path); !opened) return opened;
  if (auto migrated = migrate(write_connection_, config.path); !migrated) return migrated;
  // Deleted content is overwritten where that costs no extra page.
  write_connection_.run("PRAGMA secure_delete=FAST");
  write_connection_.run("PRAGMA cache_size=-16384");
  if (config.max_file_bytes > 0) {
    const auto pages = std::to_string(config.max_file_bytes / k_page_size);
    write_connection_.run(("PRAGMA max_page_count=" + pages).c_str());
  }
  if (auto set = write_connection_.take_failure(); !set) return set;
  for (Connection* reading : {&load_connection_, &query_connection_, &wal_connection_}) {
    if (auto opened = reading->open(config.path); !opened) return opened;
  }
  load_connection_.run("PRAGMA query_only=ON");
  query_connection_.run("PRAGMA query_only=ON");
  load_query_.emplace(load_connection_);
  if (auto prepared = load_connection_.take_failure(); !prepared) return prepared;
  return recover_jobs();
}

// Leases of one opening are never taken for those of another.
Result<void> Core::recover_jobs() {
  const auto opening = count_opening(write_connection_);
  if (!opening) return std::unexpected(opening.error());
  jobs.number_leases_from(*opening << k_lease_bits);
  for (WaitingJob& waiting : waiting_jobs(write_connection_)) {
    jobs.add(std::move(waiting.job), waiting.attempts);
  }
  return write_connection_.take_failure();
}

// Without all keys nothing is known, and every load that misses the cache is read.
void Core::learn_keys(Connection& connection) {
  std::vector<otp::Key> keys(1);
  while (!keys.empty()) {
    if (stopping_) return;
    keys = record_keys(connection, keys.back(), k_keys_at_a_time);
    for (const otp::Key& key : keys) known_keys.add(key);
  }
  if (connection.take_failure()) known_keys.complete();
}

Result<void> Core::start(Metrics& metrics) {
  writer_.emplace(
      Writer::Config{config.queue_limit, config.batch_limit, config.pace, config.pace_limit},
      write_connection_, metrics);
  if (auto ready = writer_->start(); !ready) return ready;
  loads_.emplace(Reader::Config{.name = "store-loads",
                                .queue_limit = config.queue_limit,
                                .batch_limit = k_loads_per_snapshot,
                                .time_limit = config.call_timeout},
                 load_connection_);
  // Each query from a snapshot of its own, so that none keeps the WAL from starting anew for long.
  queries_.emplace(Reader::Config{.name = "store-queries",
                                  .queue_limit = k_queries_waiting,
                                  .batch_limit = 1,
                                  .time_limit = config.call_timeout},
                   query_connection_);
  checkpointer_.emplace(wal_connection_, write_connection_, *writer_);
  loads_->start();
  queries_->start([this](Connection& connection) { learn_keys(connection); });
  checkpointer_->start();
  return {};
}

void Core::stop() {
  stopping_ = true;
  jobs_bell->close();
  if (checkpointer_) checkpointer_->stop();
  if (writer_) writer_->stop();
  if (loads_) loads_->stop();
  if (queries_) queries_->stop();
}

}  // namespace otpd::storage::sqlite
