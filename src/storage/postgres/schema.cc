#include "storage/postgres/schema.h"

#include <array>
#include <string>

namespace otpd::storage::postgres {
namespace {

// otp_events is partitioned by month, see partitions.h. Its columns are as people search them;
// where they cannot give an event back byte for byte (an id that is no UUID, an address spelt in
// another way), `exact` is its canonical form, and NULL otherwise. Empty members are NULL.
//
// A record's version comes from a sequence, so that none is ever given twice, whatever is deleted.
//
// A job is waiting until `died_at` is set. `ready_at` is when it can be taken: when it is due, or
// when its lease ends; `lease` is 0 unless it was taken since it entered or was given back;
// `attempt` is how often it was taken. A dead letter's `sealed` is NULL once its code has expired.
//
// Times are Unix milliseconds where nobody looks at them.
constexpr const char* k_first_schema = R"sql(
CREATE TABLE otp_events (
  id              UUID NOT NULL,
  created_at      TIMESTAMPTZ NOT NULL,
  number          BIGINT NOT NULL,
  user_id         UUID,
  chain           INTEGER NOT NULL,
  hash            BYTEA NOT NULL,
  channel_hash    TEXT,
  event_type      TEXT,
  ip_address      INET,
  country         CHAR(2),
  verification_id TEXT,
  purpose         TEXT,
  provider        TEXT,
  detail          TEXT,
  exact           BYTEA,
  PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX otp_events_time         ON otp_events (created_at);
CREATE INDEX otp_events_chain        ON otp_events (chain, number) INCLUDE (created_at);
CREATE INDEX otp_events_channel      ON otp_events (channel_hash, created_at)
  WHERE channel_hash IS NOT NULL;
CREATE INDEX otp_events_user         ON otp_events (user_id, created_at)
  WHERE user_id IS NOT NULL;
CREATE INDEX otp_events_verification ON otp_events (verification_id)
  WHERE verification_id IS NOT NULL;

CREATE TABLE otp_chain_heads (
  chain  INTEGER PRIMARY KEY,
  number BIGINT NOT NULL,
  hash   BYTEA NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE otp_chain_starts (  -- the last line of a chain that retention took
  chain  INTEGER PRIMARY KEY,
  number BIGINT NOT NULL
);
CREATE TABLE otp_checkpoints (
  chain     INTEGER NOT NULL,
  number    BIGINT NOT NULL,
  hash      BYTEA NOT NULL,
  at        BIGINT NOT NULL,
  signature BYTEA NOT NULL,
  PRIMARY KEY (chain, number)
);

CREATE TABLE otp_consumed (
  verification_id TEXT PRIMARY KEY,
  at              BIGINT NOT NULL
);
CREATE INDEX otp_consumed_time ON otp_consumed (at);

CREATE SEQUENCE otp_versions;
CREATE TABLE otp_records (
  key        BYTEA PRIMARY KEY,
  version    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,  -- rounded up, see tables.cc
  bytes      BYTEA NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX otp_records_expiry ON otp_records (expires_at);

CREATE SEQUENCE otp_arrivals;
CREATE SEQUENCE otp_leases;
CREATE TABLE otp_jobs (
  id         BYTEA PRIMARY KEY,
  key        BYTEA NOT NULL,
  due_at     BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ready_at   BIGINT NOT NULL,
  arrival    BIGINT NOT NULL DEFAULT nextval('otp_arrivals'),
  attempt    BIGINT NOT NULL DEFAULT 0,
  lease      BIGINT NOT NULL DEFAULT 0,
  died_at    BIGINT,
  reason     TEXT NOT NULL DEFAULT '',
  sealed     BYTEA
);
CREATE INDEX otp_jobs_ready  ON otp_jobs (ready_at, arrival) WHERE died_at IS NULL;
CREATE INDEX otp_jobs_dead   ON otp_jobs (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX otp_jobs_sealed ON otp_jobs (expires_at)
  WHERE died_at IS NOT NULL AND sealed IS NOT NULL;
)sql";

// Lines of other applications than the base one say whose they are.
constexpr const char* k_application_schema = R"sql(
ALTER TABLE otp_events ADD COLUMN application TEXT;
)sql";

// The n-th entry leads from schema n to n + 1. Entries are only ever added.
constexpr std::array k_migrations = {k_first_schema, k_application_schema};

// 0 if there is none. (By the catalogue: to_regclass() may answer from a cache.)
std::int64_t schema_of(Session& session) {
  const Rows table = session.run(
      "SELECT 1 FROM pg_class WHERE relname = 'otp_schema' AND pg_table_is_visible(oid)");
  if (table.size() == 0) return 0;
  const Rows version = session.run_once("SELECT version FROM otp_schema");
  return version.size() == 0 ? 0 : version.number(0, 0);
}

void apply_missing(Session& session) {
  session.run("SELECT pg_advisory_xact_lock($1)", {number(advisory::k_schema)});
  const std::int64_t version = schema_of(session);
  if (!session.ok() || version >= current_schema()) return;
  if (version == 0) session.script("CREATE TABLE otp_schema (version BIGINT NOT NULL)");
  for (std::int64_t v = version; v < current_schema(); ++v) {
    session.script(k_migrations[static_cast<std::size_t>(v)]);
  }
  session.script("DELETE FROM otp_schema");
  session.run_once("INSERT INTO otp_schema VALUES ($1)", {number(current_schema())});
}

}  // namespace

std::int64_t current_schema() {
  return static_cast<std::int64_t>(k_migrations.size());
}

Result<void> migrate(Session& session) {
  const std::int64_t version = schema_of(session);
  if (auto read = session.take_failure(); !read) return read;
  if (version > current_schema()) {
    return fail(Failure::invalid,
                "the PostgreSQL database has schema version " + std::to_string(version) +
                    ", this otpd knows versions up to " + std::to_string(current_schema()) +
                    ": run the otpd that wrote it, or a newer one");
  }
  if (version == current_schema()) return {};
  auto migrated = session.transact<bool>([&] {
    apply_missing(session);
    return true;
  });
  if (!migrated) return std::unexpected(migrated.error());
  return {};
}

}  // namespace otpd::storage::postgres
