#include "storage/sqlite/tables.h"

namespace otpd::storage::sqlite {
namespace {

// Records are collected in steps of this: the index over the expiry need not follow every commit,
// which saves a tenth of its cost.
using CollectionStep = std::chrono::duration<std::int64_t, std::ratio<600>>;

// A restart skips at most so many numbers; there are 2^63.
constexpr std::uint64_t k_number_step = 1 << 20;

}  // namespace

Numbers::Numbers(Connection& connection)
    : raise_(connection, "UPDATE counters SET value = ?1 WHERE name = 'number'"),
      next_(static_cast<std::uint64_t>(
          connection.number("SELECT value FROM counters WHERE name = 'number'"))),
      ceiling_(next_),
      pending_ceiling_(next_) {}

std::uint64_t Numbers::next() {
  if (next_ >= pending_ceiling_) {
    pending_ceiling_ = next_ + k_number_step;
    raise_.execute(pending_ceiling_);
  }
  return next_++;
}

// SQLite writes no page for a value that is there already.
void Numbers::raise() {
  raise_.execute(++pending_ceiling_);
}

void Numbers::transaction_ended(bool committed) {
  if (committed) ceiling_ = pending_ceiling_;
  pending_ceiling_ = ceiling_;
}

ChainEnd::ChainEnd(Connection& connection)
    : keep_(connection, "INSERT OR REPLACE INTO audit_head VALUES (1, ?1, ?2)") {
  Statement last(connection,
                 "SELECT number, hash FROM audit_head UNION ALL "
                 "SELECT * FROM (SELECT number, hash FROM otp_events WHERE number IS NOT NULL "
                 "ORDER BY number DESC LIMIT 1) ORDER BY 1 DESC LIMIT 1");
  Rows rows = last.query();
  if (rows.next()) committed_ = {0, static_cast<std::uint64_t>(rows.number(0)), rows.bytes(1)};
  pending_ = committed_;
}

void ChainEnd::transaction_ended(bool committed) {
  if (committed) committed_ = pending_;
  pending_ = committed_;
}

Tables::Tables(Connection& connection)
    : connection_(connection),
      numbers_(connection),
      chain_(connection),
      exists_(connection, "SELECT 1 FROM records WHERE key = ?1"),
      insert_(connection,
              "INSERT INTO records (key, version, expires_at, bytes) VALUES (?1, ?2, ?3, ?4) "
              "ON CONFLICT DO NOTHING"),
      update_(connection,
              "UPDATE records SET version = ?2, bytes = ?4 "
              "WHERE key = ?1 AND version = ?5 AND expires_at = ?3"),
      postpone_(connection,
                "UPDATE records SET version = ?2, expires_at = ?3, bytes = ?4 "
                "WHERE key = ?1 AND version = ?5"),
      delete_(connection, "DELETE FROM records WHERE key = ?1 AND version = ?2"),
      enqueue_(connection,
               "INSERT INTO jobs (id, key, due_at, expires_at, sealed) "
               "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"),
      done_(connection, "DELETE FROM jobs WHERE id = ?1"),
      retry_(connection, "UPDATE jobs SET due_at = ?2, attempt = ?3 WHERE id = ?1"),
      dead_(connection, "UPDATE jobs SET died_at = ?2, reason = ?3, attempt = ?4 WHERE id = ?1"),
      append_(
          connection,
          "INSERT INTO otp_events (id, user_id, channel_hash, event_type, ip_address, country, "
          "created_at, verification_id, purpose, provider, detail, number, hash, "
          "application) VALUES "
          "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING"),
      add_checkpoint_(connection,
                      "INSERT INTO audit_checkpoints VALUES (?1, ?2, ?3, ?4) "
                      "ON CONFLICT DO NOTHING"),
      find_expired_(connection, "SELECT key FROM records WHERE expires_at <= ?1 LIMIT ?2"),
      delete_record_(connection, "DELETE FROM records WHERE key = ?1"),
      find_letter_(connection,
                   "SELECT key, expires_at, sealed FROM jobs WHERE id = ?1 AND died_at IS NOT NULL "
                   "AND sealed IS NOT NULL AND expires_at > ?2"),
      revive_(connection,
              "UPDATE jobs SET due_at = ?2, attempt = 0, died_at = NULL, reason = '' "
              "WHERE id = ?1"),
      find_sealed_(connection,
                   "SELECT id FROM jobs WHERE died_at IS NOT NULL AND sealed IS NOT NULL "
                   "AND expires_at <= ?1 LIMIT ?2"),
      blank_(connection, "UPDATE jobs SET sealed = NULL WHERE id = ?1"),
      find_dead_(connection,
                 "SELECT id FROM jobs WHERE died_at IS NOT NULL AND died_at <= ?1 LIMIT ?2"),
      delete_job_(connection, "DELETE FROM jobs WHERE id = ?1"),
      // What goes is the beginning of the chain, without a gap: a line that is old but came after a
      // newer one stays as long as that one.
      find_old_events_(
          connection,
          "SELECT id FROM otp_events WHERE created_at <= ?1 AND (number IS NULL OR "
          "number < coalesce((SELECT min(number) FROM (SELECT number FROM otp_events "
          "WHERE created_at > ?1 ORDER BY created_at LIMIT 1000)), 1 << 62)) LIMIT ?2"),
      delete_event_(connection, "DELETE FROM otp_events WHERE id = CAST(?1 AS TEXT)") {}

std::optional<std::uint64_t> Tables::put(const otp::Key& key, std::uint64_t expected,
                                         const std::string& bytes, TimePoint expires_at) {
  if (bytes.empty()) {
    const bool matches = expected == 0 ? !exists_.query(Blob{key}).next()
                                       : delete_.execute(Blob{key}, expected) == 1;
    return matches ? std::optional<std::uint64_t>(0) : std::nullopt;
  }
  const std::uint64_t version = numbers_.next();
  const auto collect_at = std::chrono::ceil<CollectionStep>(expires_at);
  auto change = [&](Statement& statement) {
    return statement.execute(Blob{key}, version, collect_at, Blob{bytes}, expected) == 1;
  };
  const bool changed = expected == 0
                           ? insert_.execute(Blob{key}, version, collect_at, Blob{bytes}) == 1
                           : change(update_) || change(postpone_);
  return changed ? std::optional(version) : std::nullopt;
}

bool Tables::enqueue(const otp::NewJob& job) {
  return enqueue_.execute(Blob{job.id}, Blob{job.key}, job.due_at, job.expires_at,
                          Blob{job.sealed}) == 1;
}

void Tables::finish(const otp::JobEnd& end, std::uint32_t attempts, TimePoint now) {
  switch (end.how) {
    case otp::JobEnd::How::done:
      done_.execute(Blob{end.id});
      return;
    case otp::JobEnd::How::retry:
      retry_.execute(Blob{end.id}, end.due_at, attempts);
      return;
    case otp::JobEnd::How::dead:
      dead_.execute(Blob{end.id}, now, std::string_view(end.reason), attempts);
      return;
  }
}

void Tables::append(const audit::Event& e) {
  using Text = std::string_view;
  audit::Head next = audit::extend(chain_.head(), e);
  const int added = append_.execute(
      Text(e.id), Text(e.user_id), Text(e.channel_hash), Text(e.event_type), Text(e.ip_address),
      Text(e.country), e.created_at, Text(e.verification_id), Text(e.purpose), Text(e.provider),
      Text(e.detail), next.number, Blob{next.hash}, Text(e.application));
  if (added == 1) chain_.move_to(std::move(next));
}

void Tables::add(const audit::Checkpoint& checkpoint) {
  add_checkpoint_.execute(checkpoint.number, Blob{checkpoint.hash}, checkpoint.at,
                          Blob{checkpoint.signature});
}

void Tables::transaction_ended(bool committed) {
  numbers_.transaction_ended(committed);
  chain_.transaction_ended(committed);
}

Result<std::uint64_t> count_opening(Connection& connection) {
  connection.run(
      "INSERT INTO counters VALUES ('opening', 1) "
      "ON CONFLICT (name) DO UPDATE SET value = value + 1");
  const auto opening = connection.number("SELECT value FROM counters WHERE name = 'opening'");
  if (auto counted = connection.take_failure(); !counted) return std::unexpected(counted.error());
  return static_cast<std::uint64_t>(opening);
}

std::optional<otp::NewJob> Tables::revive(const std::string& id, TimePoint now) {
  otp::NewJob job{.id = id, .key = {}, .due_at = now, .expires_at = {}, .sealed = {}};
  {
    Rows rows = find_letter_.query(Blob{id}, now);
    if (!rows.next()) return std::nullopt;
    job.key = rows.bytes(0);
    job.expires_at = rows.time(1);
    job.sealed = rows.bytes(2);
  }
  revive_.execute(Blob{id}, now);
  return job;
}

std::vector<std::string> Tables::change_each(Statement& find, TimePoint before, std::size_t max,
                                             Until until, Statement& change) {
  std::vector<std::string> found;
  {
    Rows rows = find.query(before, max);
    while (rows.next()) found.push_back(rows.bytes(0));
  }
  std::size_t changed = 0;
  while (changed < found.size()) {
    change.execute(Blob{found[changed++]});
    if (std::chrono::steady_clock::now() >= until) break;
  }
  found.resize(changed);
  return found;
}

std::vector<otp::Key> Tables::delete_expired_records(TimePoint now, std::size_t max, Until until) {
  return change_each(find_expired_, now, max, until, delete_record_);
}

std::size_t Tables::blank_expired_letters(TimePoint now, std::size_t max, Until until) {
  return change_each(find_sealed_, now, max, until, blank_).size();
}

std::size_t Tables::delete_dead_letters(TimePoint died_before, std::size_t max, Until until) {
  return change_each(find_dead_, died_before, max, until, delete_job_).size();
}

std::size_t Tables::delete_events(TimePoint before, std::size_t max, Until until) {
  chain_.keep();
  return change_each(find_old_events_, before, max, until, delete_event_).size();
}

}  // namespace otpd::storage::sqlite
