// Core: the connections, shared by the ports and by the calls in flight.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "storage/doorbell.h"
#include "storage/postgres/chains.h"
#include "storage/postgres/pool.h"

namespace otpd::storage::postgres {

// The chain of the events that are committed with a record: beyond those of all partitions.
inline constexpr std::uint32_t k_store_chain = 1'000'000;

class Core {
 public:
  Core(const PostgresConfig& config, const Clock& clock, Metrics& metrics);
  ~Core() { stop(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Wakes who waits, answers what is queued and ends the threads. Idempotent.
  void stop();

  // Awaits `work(Session&) -> T` outside of a transaction; a failure that sticks is the answer.
  // The caller keeps this Core alive.
  template <class T, class Work>
  Task<Result<T>> ask(Work work) {
    return pool.ask<T>([work = std::move(work)](Session& session) mutable -> Result<T> {
      T out = work(session);
      if (auto done = session.take_failure(); !done) return std::unexpected(done.error());
      return out;
    });
  }

  // Awaits `work(Session&) -> T` and `events` in one transaction: the events are appended to the
  // store's chain if `work` says so by `wrote(T)`.
  template <class T, class Work, class Wrote>
  Task<Result<T>> write(std::vector<audit::Event> events, Work work, Wrote wrote) {
    return pool.ask<T>([this, events = std::move(events), work = std::move(work),
                        wrote](Session& session) -> Result<T> {
      return transact_with_events<T>(session, partitions, events, [&] {
        T out = work(session);
        if (session.ok() && wrote(out)) append_events(session, k_store_chain, events);
        return out;
      });
    });
  }

  const PostgresConfig config;
  const Clock& clock;
  Partitions partitions;
  const std::shared_ptr<Doorbell> jobs_bell = std::make_shared<Doorbell>();
  std::atomic<bool> purging{false};
  Pool pool;
};

using SharedCore = std::shared_ptr<Core>;

// Backend::purge, and PostgresBackend::maintain.
Task<Result<Purged>> purge(SharedCore core, TimePoint now);
Task<Result<std::uint64_t>> maintain(SharedCore core, TimePoint now);

}  // namespace otpd::storage::postgres
