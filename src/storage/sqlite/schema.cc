#include "storage/sqlite/schema.h"

#include <array>

namespace otpd::storage::sqlite {
namespace {

// "otpd" in ASCII, so that `file` and we know the file as ours.
constexpr int k_application_id = 0x6f747064;

// A record's version comes from the counter `number`, which only grows, so that none is ever given
// twice, whatever is deleted. `records.expires_at` is rounded up, see tables.cc.
//
// A job is waiting until `died_at` is set. Who holds it is not written down, see job_book.h;
// `attempt` is how often it was tried when it was last given back. A dead letter's `sealed` is
// NULL once its code has expired.
constexpr const char* k_first_schema = R"sql(
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('number', 1);

CREATE TABLE records (
  key        BLOB NOT NULL PRIMARY KEY,
  version    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  bytes      BLOB NOT NULL
);
CREATE INDEX records_expiry ON records (expires_at);

CREATE TABLE jobs (
  id         BLOB NOT NULL PRIMARY KEY,
  key        BLOB NOT NULL,
  due_at     INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  attempt    INTEGER NOT NULL DEFAULT 0,
  died_at    INTEGER,
  reason     TEXT NOT NULL DEFAULT '',
  sealed     BLOB
);
CREATE INDEX jobs_dead   ON jobs (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX jobs_sealed ON jobs (expires_at) WHERE died_at IS NOT NULL AND sealed IS NOT NULL;

CREATE TABLE otp_events (
  id              TEXT NOT NULL PRIMARY KEY,
  user_id         TEXT NOT NULL,
  channel_hash    TEXT NOT NULL,
  event_type      TEXT NOT NULL,
  ip_address      TEXT NOT NULL,
  country         TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  verification_id TEXT NOT NULL,
  purpose         TEXT NOT NULL,
  provider        TEXT NOT NULL,
  detail          TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX otp_events_time ON otp_events (created_at);
)sql";

// The audit log becomes a chain (audit/chain.h). Lines from before have no number and are in no
// chain. `audit_head` is where the chain ended when a purge last took lines away, so that it goes
// on from there even when none is left.
constexpr const char* k_chain_schema = R"sql(
ALTER TABLE otp_events ADD COLUMN number INTEGER;
ALTER TABLE otp_events ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX otp_events_number ON otp_events (number) WHERE number IS NOT NULL;
CREATE TABLE audit_head (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL,
  hash   BLOB NOT NULL
);
CREATE TABLE audit_checkpoints (
  number    INTEGER PRIMARY KEY,
  hash      BLOB NOT NULL,
  at        INTEGER NOT NULL,
  signature BLOB NOT NULL
);
)sql";

// Lines of other applications than the base one say whose they are.
constexpr const char* k_application_schema = R"sql(
ALTER TABLE otp_events ADD COLUMN application TEXT NOT NULL DEFAULT '';
)sql";

// The n-th entry leads from schema n to n + 1. Entries are only ever added.
constexpr std::array k_migrations = {k_first_schema, k_chain_schema, k_application_schema};

Result<void> check_origin(Connection& connection, const std::string& path, int version) {
  const auto origin = connection.number("PRAGMA application_id");
  const auto tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (auto read = connection.take_failure(); !read) return read;
  const bool empty = origin == 0 && version == 0 && tables == 0;
  if (origin != k_application_id && !empty) {
    return fail(Failure::invalid, path + " is a database of another program");
  }
  if (version > current_schema()) {
    return fail(Failure::invalid, path + " has schema version " + std::to_string(version) +
                                      ", this otpd knows versions up to " +
                                      std::to_string(current_schema()) +
                                      ": run the otpd that wrote it, or a newer one");
  }
  return {};
}

Result<void> turn_wal_on(Connection& connection) {
  // The page layout is fixed with the first page written; on an existing file this says nothing.
  connection.run("PRAGMA page_size=4096");
  connection.run("PRAGMA auto_vacuum=NONE");
  const std::string mode = connection.text("PRAGMA journal_mode=WAL");
  if (auto set = connection.take_failure(); !set) return set;
  if (mode != "wal") return fail(Failure::unavailable, "the database cannot use a WAL: " + mode);
  return {};
}

}  // namespace

int current_schema() {
  return static_cast<int>(k_migrations.size());
}

Result<void> migrate(Connection& connection, const std::string& path) {
  const int version = static_cast<int>(connection.number("PRAGMA user_version"));
  if (auto read = connection.take_failure(); !read) {
    return fail(read.error().kind, path + ": " + read.error().message);
  }
  if (auto ours = check_origin(connection, path, version); !ours) return ours;
  if (auto wal = turn_wal_on(connection); !wal) return wal;
  if (version == current_schema()) return {};
  connection.begin_write();
  for (int v = version; v < current_schema(); ++v) {
    connection.run(k_migrations[static_cast<std::size_t>(v)]);
  }
  connection.run(("PRAGMA application_id=" + std::to_string(k_application_id)).c_str());
  connection.run(("PRAGMA user_version=" + std::to_string(current_schema())).c_str());
  return connection.end();
}

}  // namespace otpd::storage::sqlite
