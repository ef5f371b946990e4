#include "storage/postgres/backend.h"

#include <algorithm>
#include <utility>

#include "storage/limits.h"
#include "storage/postgres/core.h"
#include "storage/postgres/tables.h"

namespace otpd::storage {
namespace {

using postgres::Core;
using postgres::Session;
using postgres::SharedCore;

// Every call keeps the core in its own frame: the backend may be destroyed while it waits.

template <class T>
Result<void> succeeded(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

class PostgresStore final : public otp::Store {
 public:
  explicit PostgresStore(SharedCore core) : core_(std::move(core)) {}

  Task<Result<otp::Record>> load(otp::Key key) override {
    const SharedCore core = core_;
    if (auto fits = check_key(key); !fits) co_return std::unexpected(fits.error());
    co_return co_await core->ask<otp::Record>(
        [key = std::move(key)](Session& session) { return postgres::load_record(session, key); });
  }

  // Other processes write, too.
  std::optional<otp::Record> recall(const otp::Key&) override { return std::nullopt; }

  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override {
    const SharedCore core = core_;
    if (auto fits = check_record(key, bytes); !fits) co_return std::unexpected(fits.error());
    if (auto fit = check_effects(effects); !fit) co_return std::unexpected(fit.error());
    const auto jobs = std::make_shared<Jobs>(
        Jobs{std::move(effects.enqueue), std::move(effects.finish), core->clock.now()});
    auto work = [jobs, key = std::move(key), expected, bytes = std::move(bytes),
                 expires_at](Session& session) {
      if (!postgres::put_record(session, key, expected, bytes, expires_at)) {
        return otp::CommitResult::conflict;
      }
      jobs->write(session);
      return otp::CommitResult::done;
    };
    auto wrote = [](otp::CommitResult result) { return result == otp::CommitResult::done; };
    auto committed =
        co_await core->write<otp::CommitResult>(std::move(effects.events), std::move(work), wrote);
    if (committed == otp::CommitResult::done && jobs->may_be_ready) core->jobs_bell->ring();
    co_return committed;
  }

  Task<Result<void>> append(otp::Effects effects) override {
    const SharedCore core = core_;
    if (auto fit = check_effects(effects); !fit) co_return fit;
    const auto jobs = std::make_shared<Jobs>(
        Jobs{std::move(effects.enqueue), std::move(effects.finish), core->clock.now()});
    auto work = [jobs](Session& session) {
      jobs->write(session);
      return true;
    };
    auto appended = co_await core->write<bool>(std::move(effects.events), std::move(work),
                                               [](bool) { return true; });
    if (appended && jobs->may_be_ready) core->jobs_bell->ring();
    co_return succeeded(appended);
  }

  Task<Result<void>> ping() override {
    const SharedCore core = core_;
    co_return succeeded(co_await core->ask<bool>([](Session& session) {
      session.run("SELECT 1");
      return true;
    }));
  }

 private:
  // The share that jobs have in a commit.
  struct Jobs {
    Jobs(std::vector<otp::NewJob> enqueue, std::vector<otp::JobEnd> finish, TimePoint at)
        : effects{.enqueue = std::move(enqueue), .finish = std::move(finish)}, now(at) {}
    void write(Session& session) { may_be_ready = postgres::write_jobs(session, effects, now); }
    const otp::Effects effects;
    const TimePoint now;
    bool may_be_ready = false;  // to be read once the commit has answered
  };

  SharedCore core_;
};

class PostgresQueue final : public delivery::Queue {
 public:
  explicit PostgresQueue(SharedCore core) : core_(std::move(core)) {}

  Task<Result<std::vector<delivery::Job>>> take(TimePoint now, Millis lease, std::size_t max,
                                                Millis wait) override {
    using Steady = std::chrono::steady_clock;
    const SharedCore core = core_;
    const auto give_up = Steady::now() + wait;
    while (!core->jobs_bell->closed()) {
      const std::uint64_t seen = core->jobs_bell->rings();
      auto taken = co_await core->ask<postgres::JobsTaken>([now, lease, max](Session& session) {
        return postgres::take_jobs(session, now, lease, max);
      });
      if (!taken) co_return std::unexpected(taken.error());
      const Millis left = std::chrono::ceil<Millis>(give_up - Steady::now());
      if (!taken->jobs.empty() || left <= Millis(0)) co_return std::move(taken->jobs);
      co_await core->jobs_bell->wait(seen, pause_before_look(*taken, now, left));
      now = std::max(now, core->clock.now());
    }
    co_return std::vector<delivery::Job>();
  }

  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    const SharedCore core = core_;
    co_return co_await core->ask<delivery::QueueStats>(
        [now](Session& session) { return postgres::queue_stats(session, now); });
  }

  Task<Result<std::vector<delivery::DeadLetter>>> dead_letters(std::size_t max) override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<delivery::DeadLetter>>(
        [max](Session& session) { return postgres::dead_letters(session, max); });
  }

  Task<Result<bool>> requeue(std::string id, TimePoint now) override {
    const SharedCore core = core_;
    auto revived = co_await core->ask<bool>([id = std::move(id), now](Session& session) {
      return postgres::requeue_job(session, id, now);
    });
    if (revived && *revived) core->jobs_bell->ring();
    co_return revived;
  }

 private:
  // Until the next job is ready; but not in steps so short that a virtual clock that stands still
  // would keep us spinning, nor so long that a job of another process would wait.
  static Millis pause_before_look(const postgres::JobsTaken& taken, TimePoint now, Millis left) {
    constexpr Millis k_shortest{10};
    constexpr Millis k_longest{500};
    left = std::min(left, k_longest);
    if (!taken.next_ready) return left;
    return std::min(left, std::max(*taken.next_ready - now, k_shortest));
  }

  SharedCore core_;
};

class PostgresAuditLog final : public audit::AuditLog {
 public:
  explicit PostgresAuditLog(SharedCore core) : core_(std::move(core)) {}

  Task<Result<std::vector<audit::Event>>> search(audit::Query query) override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<audit::Event>>(
        [query = std::move(query)](Session& session) {
          return postgres::search_events(session, query);
        });
  }

  Task<Result<std::vector<audit::Head>>> heads() override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<audit::Head>>(postgres::chain_heads);
  }

  Task<Result<std::optional<audit::ChainSpan>>> span(std::uint32_t chain, TimePoint from,
                                                     TimePoint to) override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::optional<audit::ChainSpan>>(
        [chain, from, to](Session& session) {
          return postgres::chain_span(session, chain, from, to);
        });
  }

  Task<Result<std::vector<audit::Line>>> lines(std::uint32_t chain, std::uint64_t from,
                                               std::size_t limit) override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<audit::Line>>([chain, from, limit](Session& session) {
      return postgres::chain_lines(session, chain, from, limit);
    });
  }

  Task<Result<std::vector<audit::Checkpoint>>> checkpoints(std::uint32_t chain, std::uint64_t from,
                                                           std::size_t limit) override {
    const SharedCore core = core_;
    co_return co_await core->ask<std::vector<audit::Checkpoint>>(
        [chain, from, limit](Session& session) {
          return postgres::chain_checkpoints(session, chain, from, limit);
        });
  }

  Task<Result<void>> add_checkpoint(audit::Checkpoint checkpoint) override {
    const SharedCore core = core_;
    co_return succeeded(
        co_await core->ask<bool>([checkpoint = std::move(checkpoint)](Session& session) {
          postgres::add_checkpoint(session, checkpoint);
          return true;
        }));
  }

 private:
  SharedCore core_;
};

class PostgresSink final : public audit::EventSink {
 public:
  explicit PostgresSink(SharedCore core) : core_(std::move(core)) {}

  Task<Result<void>> write(std::uint32_t chain, std::vector<audit::Event> events) override {
    const SharedCore core = core_;
    auto work = [core = core.get(), chain, events = std::move(events)](Session& session) {
      return postgres::transact_with_events<bool>(session, core->partitions, events, [&] {
        postgres::append_events(session, chain, events);
        return true;
      });
    };
    co_return succeeded(co_await core->pool.ask<bool>(std::move(work)));
  }

 private:
  SharedCore core_;
};

class PostgresLedger final : public ConsumptionLedger {
 public:
  explicit PostgresLedger(SharedCore core) : core_(std::move(core)) {}

  Task<Result<bool>> consume(std::string verification_id, TimePoint now) override {
    const SharedCore core = core_;
    co_return co_await core->ask<bool>([id = std::move(verification_id), now](Session& session) {
      return postgres::consume_once(session, id, now);
    });
  }

 private:
  SharedCore core_;
};

class PostgresBackendOfPorts final : public PostgresBackend {
 public:
  explicit PostgresBackendOfPorts(const SharedCore& core)
      : core_(core), store_(core), queue_(core), audit_(core), sink_(core), ledger_(core) {}
  ~PostgresBackendOfPorts() override { core_->stop(); }

  otp::Store& store() override { return store_; }
  delivery::Queue& queue() override { return queue_; }
  audit::AuditLog& audit() override { return audit_; }
  audit::EventSink& sink() override { return sink_; }
  ConsumptionLedger& ledger() override { return ledger_; }

  Task<Result<Purged>> purge(TimePoint now) override {
    const SharedCore core = core_;
    if (core->purging.exchange(true)) co_return Purged{};
    auto purged = co_await postgres::purge(core, now);
    core->purging = false;
    co_return purged;
  }

  Task<Result<void>> maintain(TimePoint now) override {
    const SharedCore core = core_;
    co_return succeeded(co_await postgres::maintain(core, now));
  }

 private:
  SharedCore core_;
  PostgresStore store_;
  PostgresQueue queue_;
  PostgresAuditLog audit_;
  PostgresSink sink_;
  PostgresLedger ledger_;
};

}  // namespace

Result<std::unique_ptr<PostgresBackend>> open_postgres_backend(const PostgresConfig& config,
                                                               const Clock& clock,
                                                               Metrics& metrics) {
  if (auto readable = postgres::check_url(config.url); !readable) {
    return std::unexpected(readable.error());
  }
  auto core = std::make_shared<Core>(config, clock, metrics);
  core->pool.start();
  const Result<void> connected = core->pool.first_connection();
  if (!connected && connected.error().kind == Failure::invalid) {
    return std::unexpected(connected.error());
  }
  return std::make_unique<PostgresBackendOfPorts>(core);
}

}  // namespace otpd::storage
