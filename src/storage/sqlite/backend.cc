#include "storage/backend.h"

#include <algorithm>
#include <utility>

#include "storage/limits.h"
#include "storage/sqlite/core.h"
#include "storage/sqlite/operations.h"
#include "storage/sqlite/purge.h"
#include "storage/sqlite/queries.h"
#include "storage/take.h"

namespace otpd::storage {
namespace {

using sqlite::Connection;
using sqlite::Core;

// Every call keeps the core in its own frame: the backend may be destroyed while it waits.
using SharedCore = std::shared_ptr<Core>;

template <class T>
Result<void> without_value(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

Result<void> check(const Core& core, const otp::Effects& effects) {
  if (!effects.enqueue.empty() && core.jobs.size() >= core.config.jobs_limit) {
    return fail(Failure::overloaded, "too many jobs wait for delivery");
  }
  return check_effects(effects);
}

class SqliteStore final : public otp::Store {
 public:
  explicit SqliteStore(SharedCore core) : core_(std::move(core)) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    const SharedCore core = core_;
    if (auto fits = check_key(key); !fits) co_return std::unexpected(fits.error());
    if (auto known = recall(key)) co_return std::move(*known);
    auto read = [core = core.get(), key = std::move(key)](Connection&) {
      return core->load_query().load(key);
    };
    co_return co_await core->ask<otp::Record>(core->loads(), std::move(read));
  }

  std::optional<otp::Record> recall(const otp::Key& key) override {
    if (core_->known_keys.absent(key)) return otp::Record{};
    return core_->cache.get(key);
  }

  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    const SharedCore core = core_;
    if (auto fits = check_record(key, bytes); !fits) co_return std::unexpected(fits.error());
    if (auto fit = check(*core, effects); !fit) co_return std::unexpected(fit.error());
    sqlite::Commit commit{std::move(key), expected, std::move(bytes), expires_at,
                          std::move(effects)};
    auto make = [&](Callback<Result<otp::CommitResult>> done) {
      return sqlite::commit_operation(*core, std::move(commit), std::move(done));
    };
    co_return co_await core->write<otp::CommitResult>(make);
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const SharedCore core = core_;
    if (auto fit = check(*core, effects); !fit) co_return fit;
    auto make = [&](Callback<Result<bool>> done) {
      return sqlite::append_operation(*core, std::move(effects), std::move(done));
    };
    co_return without_value(co_await core->write<bool>(make));
  }

  Task<Result<void>> ping() override {
    const SharedCore core = core_;
    auto make = [&](Callback<Result<bool>> done) {
      return sqlite::ping_operation(!core->writer().healthy(), std::move(done));
    };
    co_return without_value(co_await core->write<bool>(make));
  }

 private:
  SharedCore core_;
};

class SqliteQueue final : public delivery::Queue {
 public:
  explicit SqliteQueue(SharedCore core) : core_(std::move(core)) {}

  Task<Result<std::vector<delivery::Job>>> take(TimePoint now, Millis lease, std::size_t max,
                                                Millis wait) override {
    const SharedCore core = core_;
    co_return co_await take_waiting(core->jobs, core->jobs_bell, core->clock, now, lease, max,
                                    wait);
  }

  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    const SharedCore core = core_;
    const auto dead = co_await core->ask<std::uint64_t>(core->queries(), sqlite::count_dead);
    if (!dead) co_return std::unexpected(dead.error());
    delivery::QueueStats stats = core->jobs.stats(now);
    stats.dead = *dead;
    co_return stats;
  }

  Task<Result<std::vector<delivery::DeadLetter>>> dead_letters(std::size_t max) override {
    const SharedCore core = core_;
    auto read = [max](Connection& connection) { return sqlite::dead_letters(connection, max); };
    co_return co_await core->ask<std::vector<delivery::DeadLetter>>(core->queries(), read);
  }

  Task<Result<bool>> requeue(std::string id, TimePoint now) override {
    const SharedCore core = core_;
    auto make = [&](Callback<Result<bool>> done) {
      return sqlite::requeue_operation(*core, std::move(id), now, std::move(done));
    };
    co_return co_await core->write<bool>(make);
  }

 private:
  SharedCore core_;
};

class SqliteAuditLog final : public audit::AuditLog {
 public:
  explicit SqliteAuditLog(SharedCore core) : core_(std::move(core)) {}

  Task<Result<std::vector<audit::Event>>> search(audit::Query query) override {
    const SharedCore core = core_;
    auto read = [query = std::move(query)](Connection& connection) {
      return sqlite::search_events(connection, query);
    };
    co_return co_await core->ask<std::vector<audit::Event>>(core->queries(), std::move(read));
  }

  Task<Result<std::vector<audit::Head>>> heads() override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<audit::Head>>(core->queries(), sqlite::audit_heads);
  }

  Task<Result<std::optional<audit::ChainSpan>>> span(std::uint32_t chain, TimePoint from,
                                                     TimePoint to) override {
    using Span = std::optional<audit::ChainSpan>;
    const SharedCore core = core_;
    if (chain != 0) co_return Span();
    auto read = [=](Connection& connection) { return sqlite::audit_span(connection, from, to); };
    co_return co_await core->ask<Span>(core->queries(), read);
  }

  Task<Result<std::vector<audit::Line>>> lines(std::uint32_t chain, std::uint64_t from,
                                               std::size_t limit) override {
    const SharedCore core = core_;
    if (chain != 0) co_return std::vector<audit::Line>();
    auto read = [=](Connection& connection) {
      return sqlite::audit_lines(connection, from, limit);
    };
    co_return co_await core->ask<std::vector<audit::Line>>(core->queries(), read);
  }

  Task<Result<std::vector<audit::Checkpoint>>> checkpoints(std::uint32_t chain, std::uint64_t from,
                                                           std::size_t limit) override {
    const SharedCore core = core_;
    if (chain != 0) co_return std::vector<audit::Checkpoint>();
    auto read = [=](Connection& connection) {
      return sqlite::audit_checkpoints(connection, from, limit);
    };
    co_return co_await core->ask<std::vector<audit::Checkpoint>>(core->queries(), read);
  }

  Task<Result<void>> add_checkpoint(audit::Checkpoint checkpoint) override {
    const SharedCore core = core_;
    auto make = [&](Callback<Result<bool>> done) {
      return sqlite::checkpoint_operation(std::move(checkpoint), std::move(done));
    };
    co_return without_value(co_await core->write<bool>(make));
  }

 private:
  SharedCore core_;
};

class SqliteBackend final : public Backend {
 public:
  explicit SqliteBackend(const SharedCore& core)
      : core_(core), store_(core), queue_(core), audit_(core) {}
  ~SqliteBackend() override { core_->stop(); }

  otp::Store& store() override { return store_; }
  delivery::Queue& queue() override { return queue_; }
  audit::AuditLog& audit() override { return audit_; }

  Task<Result<Purged>> purge(TimePoint now) override {
    const SharedCore core = core_;
    if (core->purging.exchange(true)) co_return Purged{};
    auto purged = co_await sqlite::purge(*core, now);
    core->purging = false;
    co_return purged;
  }

 private:
  SharedCore core_;
  SqliteStore store_;
  SqliteQueue queue_;
  SqliteAuditLog audit_;
};

}  // namespace

Result<std::unique_ptr<Backend>> open_sqlite_backend(const SqliteConfig& config, const Clock& clock,
                                                     Metrics& metrics) {
  auto core = Core::open(config, clock, metrics);
  if (!core) return std::unexpected(core.error());
  return std::make_unique<SqliteBackend>(*core);
}

}  // namespace otpd::storage
