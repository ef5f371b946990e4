#include "storage/postgres/tables.h"

#include <algorithm>

#include "storage/limits.h"
#include "storage/postgres/event_rows.h"

namespace otpd::storage::postgres {
namespace {

// Records are collected in steps of this: a record that is written again soon keeps its place in
// the index over the expiry, and the row can be updated in its page.
using CollectionStep = std::chrono::duration<std::int64_t, std::ratio<600>>;

Argument size_argument(std::size_t size) {
  return number(static_cast<std::int64_t>(size));
}

bool erase_record(Session& session, const otp::Key& key, std::uint64_t expected) {
  if (expected == 0) {
    return session.run("SELECT 1 FROM otp_records WHERE key = $1", {bytea(key)}).size() == 0;
  }
  return session
             .run("DELETE FROM otp_records WHERE key = $1 AND version = $2",
                  {bytea(key), number(expected)})
             .changed() == 1;
}

void enqueue(Session& session, const otp::NewJob& job) {
  session.run(
      "INSERT INTO otp_jobs (id, key, due_at, ready_at, expires_at, sealed) "
      "VALUES ($1, $2, $3, $3, $4, $5) ON CONFLICT DO NOTHING",
      {bytea(job.id), bytea(job.key), milliseconds(job.due_at), milliseconds(job.expires_at),
       bytea(job.sealed)});
}

// Changes nothing if the lease is stale.
void finish(Session& session, const otp::JobEnd& end, TimePoint now) {
  if (end.lease == 0) return;
  switch (end.how) {
    case otp::JobEnd::How::done:
      session.run("DELETE FROM otp_jobs WHERE id = $1 AND lease = $2",
                  {bytea(end.id), number(end.lease)});
      return;
    case otp::JobEnd::How::retry:
      session.run(
          "UPDATE otp_jobs SET due_at = $3, ready_at = $3, lease = 0 "
          "WHERE id = $1 AND lease = $2",
          {bytea(end.id), number(end.lease), milliseconds(end.due_at)});
      return;
    case otp::JobEnd::How::dead:
      session.run(
          "UPDATE otp_jobs SET died_at = $3, reason = $4, lease = 0 WHERE id = $1 AND lease = $2",
          {bytea(end.id), number(end.lease), milliseconds(now), text(text_column(end.reason))});
      return;
  }
}

// The items by id, without copying them; those of one id in their order.
template <class Item>
std::vector<const Item*> by_id(const std::vector<Item>& items) {
  std::vector<const Item*> sorted;
  for (const Item& item : items) sorted.push_back(&item);
  std::ranges::sort(sorted, {},
                    [](const Item* item) { return std::pair(std::string_view(item->id), item); });
  return sorted;
}

std::optional<TimePoint> next_ready(Session& session) {
  const Rows rows = session.run(
      "SELECT ready_at FROM otp_jobs WHERE died_at IS NULL ORDER BY ready_at, arrival LIMIT 1");
  if (rows.size() == 0) return std::nullopt;
  return rows.milliseconds(0, 0);
}

}  // namespace

otp::Record load_record(Session& session, const otp::Key& key) {
  const Rows rows =
      session.run("SELECT bytes, version FROM otp_records WHERE key = $1", {bytea(key)});
  if (rows.size() == 0) return {};
  return {.bytes = rows.bytes(0, 0), .version = rows.count(0, 1)};
}

bool put_record(Session& session, const otp::Key& key, std::uint64_t expected,
                const std::string& bytes, TimePoint expires_at) {
  if (bytes.empty()) return erase_record(session, key, expected);
  const Argument collect_at = milliseconds(std::chrono::ceil<CollectionStep>(expires_at));
  if (expected == 0) {
    return session
               .run(
                   "INSERT INTO otp_records (key, version, expires_at, bytes) "
                   "VALUES ($1, nextval('otp_versions'), $2, $3) ON CONFLICT DO NOTHING",
                   {bytea(key), collect_at, bytea(bytes)})
               .changed() == 1;
  }
  return session
             .run(
                 "UPDATE otp_records SET version = nextval('otp_versions'), expires_at = $2, "
                 "bytes = $3 WHERE key = $1 AND version = $4",
                 {bytea(key), collect_at, bytea(bytes), number(expected)})
             .changed() == 1;
}

bool write_jobs(Session& session, const otp::Effects& effects, TimePoint now) {
  for (const otp::NewJob* job : by_id(effects.enqueue)) enqueue(session, *job);
  bool given_back = false;
  for (const otp::JobEnd* end : by_id(effects.finish)) {
    finish(session, *end, now);
    given_back = given_back || end->how == otp::JobEnd::How::retry;
  }
  return given_back || !effects.enqueue.empty();
}

JobsTaken take_jobs(Session& session, TimePoint now, Millis lease, std::size_t max) {
  const Rows rows = session.run(
      "WITH ready AS MATERIALIZED (SELECT id FROM otp_jobs "
      "WHERE died_at IS NULL AND ready_at <= $1 ORDER BY ready_at, arrival LIMIT $3 "
      "FOR UPDATE SKIP LOCKED), "
      "taken AS (UPDATE otp_jobs j SET lease = nextval('otp_leases'), attempt = attempt + 1, "
      "ready_at = $2 FROM ready WHERE j.id = ready.id "
      "RETURNING j.id, key, sealed, due_at, expires_at, attempt, lease, arrival) "
      "SELECT * FROM taken ORDER BY due_at, arrival",
      {milliseconds(now), milliseconds(now + lease), size_argument(std::min(max, k_max_take))});
  JobsTaken taken;
  for (int row = 0; row < rows.size(); ++row) {
    taken.jobs.push_back({.id = rows.bytes(row, 0),
                          .key = rows.bytes(row, 1),
                          .sealed = rows.bytes(row, 2),
                          .due_at = rows.milliseconds(row, 3),
                          .expires_at = rows.milliseconds(row, 4),
                          .attempt = static_cast<std::uint32_t>(rows.count(row, 5)),
                          .lease = rows.count(row, 6)});
  }
  if (taken.jobs.empty()) taken.next_ready = next_ready(session);
  return taken;
}

delivery::QueueStats queue_stats(Session& session, TimePoint now) {
  const Rows rows = session.run(
      "SELECT count(*) FILTER (WHERE died_at IS NULL AND (lease = 0 OR ready_at <= $1)), "
      "count(*) FILTER (WHERE died_at IS NULL AND lease <> 0 AND ready_at > $1), "
      "count(*) FILTER (WHERE died_at IS NOT NULL), "
      "coalesce($1 - min(due_at) FILTER (WHERE died_at IS NULL AND due_at <= $1 "
      "AND (lease = 0 OR ready_at <= $1)), 0) FROM otp_jobs",
      {milliseconds(now)});
  if (rows.size() == 0) return {};
  return {.waiting = rows.count(0, 0),
          .leased = rows.count(0, 1),
          .dead = rows.count(0, 2),
          .oldest_due = Millis(rows.number(0, 3))};
}

std::vector<delivery::DeadLetter> dead_letters(Session& session, std::size_t max) {
  const Rows rows = session.run(
      "SELECT id, reason, attempt, died_at, expires_at FROM otp_jobs "
      "WHERE died_at IS NOT NULL ORDER BY died_at DESC LIMIT $1",
      {size_argument(std::min(max, k_max_dead_letters))});
  std::vector<delivery::DeadLetter> letters;
  for (int row = 0; row < rows.size(); ++row) {
    letters.push_back({.id = rows.bytes(row, 0),
                       .reason = plain_text(rows.bytes(row, 1)),
                       .attempts = static_cast<std::uint32_t>(rows.count(row, 2)),
                       .died_at = rows.milliseconds(row, 3),
                       .expires_at = rows.milliseconds(row, 4)});
  }
  return letters;
}

bool requeue_job(Session& session, const std::string& id, TimePoint now) {
  return session
             .run(
                 "UPDATE otp_jobs SET due_at = $2, ready_at = $2, attempt = 0, lease = 0, "
                 "died_at = NULL, reason = '' WHERE id = $1 AND died_at IS NOT NULL "
                 "AND sealed IS NOT NULL AND expires_at > $2",
                 {bytea(id), milliseconds(now)})
             .changed() == 1;
}

bool consume_once(Session& session, const std::string& verification_id, TimePoint now) {
  return session
             .run(
                 "INSERT INTO otp_consumed (verification_id, at) VALUES ($1, $2) "
                 "ON CONFLICT DO NOTHING",
                 {text(text_column(verification_id)), milliseconds(now)})
             .changed() == 1;
}

std::uint64_t purge_records(Session& session, TimePoint before, std::size_t max) {
  return session
      .run(
          "DELETE FROM otp_records WHERE key = ANY (ARRAY(SELECT key FROM otp_records "
          "WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
          {milliseconds(before), size_argument(max)})
      .changed();
}

std::uint64_t blank_letters(Session& session, TimePoint before, std::size_t max) {
  return session
      .run(
          "UPDATE otp_jobs SET sealed = NULL WHERE id = ANY (ARRAY(SELECT id FROM otp_jobs "
          "WHERE died_at IS NOT NULL AND sealed IS NOT NULL AND expires_at <= $1 LIMIT $2 "
          "FOR UPDATE SKIP LOCKED))",
          {milliseconds(before), size_argument(max)})
      .changed();
}

std::uint64_t purge_letters(Session& session, TimePoint before, std::size_t max) {
  return session
      .run(
          "DELETE FROM otp_jobs WHERE id = ANY (ARRAY(SELECT id FROM otp_jobs "
          "WHERE died_at IS NOT NULL AND died_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
          {milliseconds(before), size_argument(max)})
      .changed();
}

std::uint64_t purge_consumed(Session& session, TimePoint before, std::size_t max) {
  return session
      .run(
          "DELETE FROM otp_consumed WHERE verification_id = ANY (ARRAY("
          "SELECT verification_id FROM otp_consumed WHERE at <= $1 LIMIT $2 "
          "FOR UPDATE SKIP LOCKED))",
          {milliseconds(before), size_argument(max)})
      .changed();
}

}  // namespace otpd::storage::postgres
