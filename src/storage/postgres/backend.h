// PostgreSQL 15: where what must never vanish is kept. The audit log in monthly partitions, the
// ledger of consumed codes, and records and jobs as every other backend has them.
#pragma once

#include <memory>
#include <string>

#include "audit/pump.h"
#include "base/secret.h"
#include "storage/backend.h"

namespace otpd::storage {

struct PostgresConfig {
  // postgresql://user:password@host:port/database?sslmode=…, or a libpq conninfo. A pooler between
  // must pool sessions: statements are prepared. What the URL does not say, libpq's environment
  // may.
  Secret url;
  Retention retention;
  std::size_t connections = 4;      // a thread each
  std::size_t queue_limit = 1'024;  // calls that wait for one; more are refused at once
  Millis connect_timeout{3'000};
  Millis call_timeout{5'000};  // of one call, waiting included
};

// Codes that were consumed, each once: the word of PostgreSQL that a code was never accepted
// before, whatever another store forgot.
class ConsumptionLedger {
 public:
  virtual ~ConsumptionLedger() = default;
  // True for the first who names this verification, false for everybody after.
  virtual Task<Result<bool>> consume(std::string verification_id, TimePoint now) = 0;
};

class PostgresBackend : public Backend {
 public:
  virtual audit::EventSink& sink() = 0;
  virtual ConsumptionLedger& ledger() = 0;
  // Makes the audit partitions of this month and the next two; drops those that are wholly past
  // the retention, after writing down where each chain then begins: audit lines go by whole months,
  // up to a month after their retention. Purge does it too. May take a minute; a partition that
  // somebody reads for long stays until the next time (Failure::timeout).
  virtual Task<Result<void>> maintain(TimePoint now) = 0;
};

// Makes the tables if need be, under an advisory lock: several processes may start at once. Waits
// for the first connection, at most the connect timeout and a call's. Does not need PostgreSQL to
// be there: calls fail as unavailable until it is, and then the tables are made. Exports
// otpd_postgres_connections, _waiting_calls, _failures_total and _call_seconds. `clock` and
// `metrics` must outlive it. Failures: invalid (the URL, or a newer schema).
Result<std::unique_ptr<PostgresBackend>> open_postgres_backend(const PostgresConfig& config,
                                                               const Clock& clock,
                                                               Metrics& metrics);

}  // namespace otpd::storage
