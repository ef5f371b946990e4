#include "storage/sqlite/queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "storage/limits.h"

namespace otpd::storage::sqlite {
namespace {

// The conditions that are given, and what is bound to them.
struct Filter {
  std::string sql = "1";
  std::vector<std::variant<std::string_view, TimePoint>> arguments;

  void add(std::string_view condition, std::variant<std::string_view, TimePoint> argument) {
    sql += " AND ";
    sql += condition;
    arguments.push_back(argument);
  }
  void add_text(std::string_view condition, std::string_view text) {
    if (!text.empty()) add(condition, text);
  }
};

Filter filter_of(const audit::Query& query) {
  Filter filter;
  filter.add_text("channel_hash = ?", query.channel_hash);
  filter.add_text("user_id = ?", query.user_id);
  filter.add_text("verification_id = ?", query.verification_id);
  filter.add_text("event_type = ?", query.event_type);
  if (query.application) filter.add("application = ?", std::string_view(*query.application));
  if (query.from) filter.add("created_at >= ?", *query.from);
  if (query.to) filter.add("created_at < ?", *query.to);
  if (query.before) {
    filter.add("(created_at, id) < (?, ?)", query.before->created_at);
    filter.arguments.emplace_back(std::string_view(query.before->id));
  }
  return filter;
}

constexpr std::string_view k_event_columns =
    "id, user_id, channel_hash, event_type, ip_address, country, created_at, verification_id, "
    "purpose, provider, detail, application";
constexpr int k_event_width = 12;

audit::Event event_of(const Rows& row) {
  return {.id = row.bytes(0),
          .user_id = row.bytes(1),
          .channel_hash = row.bytes(2),
          .event_type = row.bytes(3),
          .ip_address = row.bytes(4),
          .country = row.bytes(5),
          .created_at = row.time(6),
          .verification_id = row.bytes(7),
          .purpose = row.bytes(8),
          .provider = row.bytes(9),
          .detail = row.bytes(10),
          .application = row.bytes(11)};
}

}  // namespace

LoadQuery::LoadQuery(Connection& connection)
    : find_(connection, "SELECT version, bytes FROM records WHERE key = ?1") {}

otp::Record LoadQuery::load(const otp::Key& key) {
  Rows rows = find_.query(Blob{key});
  if (!rows.next()) return {};
  return {.bytes = rows.bytes(1), .version = static_cast<std::uint64_t>(rows.number(0))};
}

std::vector<WaitingJob> waiting_jobs(Connection& connection) {
  Statement find(connection,
                 "SELECT id, key, due_at, expires_at, sealed, attempt FROM jobs "
                 "WHERE died_at IS NULL ORDER BY due_at, rowid");
  std::vector<WaitingJob> jobs;
  Rows rows = find.query();
  while (rows.next()) {
    jobs.push_back({.job = {.id = rows.bytes(0),
                            .key = rows.bytes(1),
                            .due_at = rows.time(2),
                            .expires_at = rows.time(3),
                            .sealed = rows.bytes(4)},
                    .attempts = static_cast<std::uint32_t>(rows.number(5))});
  }
  return jobs;
}

std::vector<otp::Key> record_keys(Connection& connection, const otp::Key& after, std::size_t max) {
  Statement find(connection, "SELECT key FROM records WHERE key > ?1 ORDER BY key LIMIT ?2");
  std::vector<otp::Key> keys;
  Rows rows = find.query(Blob{after}, max);
  while (rows.next()) keys.push_back(rows.bytes(0));
  return keys;
}

std::uint64_t count_dead(Connection& connection) {
  return static_cast<std::uint64_t>(
      connection.number("SELECT count(*) FROM jobs WHERE died_at IS NOT NULL"));
}

std::vector<delivery::DeadLetter> dead_letters(Connection& connection, std::size_t max) {
  Statement find(connection,
                 "SELECT id, reason, attempt, died_at, expires_at FROM jobs "
                 "WHERE died_at IS NOT NULL ORDER BY died_at DESC LIMIT ?1");
  std::vector<delivery::DeadLetter> letters;
  Rows rows = find.query(std::min(max, k_max_dead_letters));
  while (rows.next()) {
    letters.push_back({.id = rows.bytes(0),
                       .reason = rows.bytes(1),
                       .attempts = static_cast<std::uint32_t>(rows.number(2)),
                       .died_at = rows.time(3),
                       .expires_at = rows.time(4)});
  }
  return letters;
}

std::vector<audit::Head> audit_heads(Connection& connection) {
  Statement find(connection,
                 "SELECT number, hash FROM otp_events WHERE number IS NOT NULL "
                 "ORDER BY number DESC LIMIT 1");
  std::vector<audit::Head> heads;
  Rows rows = find.query();
  if (rows.next()) {
    heads.push_back({0, static_cast<std::uint64_t>(rows.number(0)), rows.bytes(1)});
  }
  return heads;
}

std::optional<audit::ChainSpan> audit_span(Connection& connection, TimePoint from, TimePoint to) {
  Statement find(connection,
                 "SELECT min(number), max(number) FROM otp_events "
                 "WHERE created_at >= ?1 AND created_at < ?2");
  Rows rows = find.query(from, to);
  if (!rows.next() || rows.number(0) == 0) return std::nullopt;
  return audit::ChainSpan{static_cast<std::uint64_t>(rows.number(0)),
                          static_cast<std::uint64_t>(rows.number(1))};
}

std::vector<audit::Line> audit_lines(Connection& connection, std::uint64_t from, std::size_t max) {
  Statement find(connection, fmt::format("SELECT {}, number, hash FROM otp_events "
                                         "WHERE number >= ?1 ORDER BY number LIMIT ?2",
                                         k_event_columns));
  std::vector<audit::Line> lines;
  Rows rows = find.query(from, std::clamp<std::size_t>(max, 1, k_max_search));
  while (rows.next()) {
    lines.push_back({static_cast<std::uint64_t>(rows.number(k_event_width)), event_of(rows),
                     rows.bytes(k_event_width + 1)});
  }
  return lines;
}

std::vector<audit::Checkpoint> audit_checkpoints(Connection& connection, std::uint64_t from,
                                                 std::size_t max) {
  Statement find(connection,
                 "SELECT number, hash, at, signature FROM audit_checkpoints WHERE number >= "
                 "coalesce((SELECT max(number) FROM audit_checkpoints WHERE number < ?1), 0) "
                 "ORDER BY number LIMIT ?2");
  std::vector<audit::Checkpoint> checkpoints;
  Rows rows = find.query(from, std::clamp<std::size_t>(max, 1, k_max_search));
  while (rows.next()) {
    checkpoints.push_back({0, static_cast<std::uint64_t>(rows.number(0)), rows.bytes(1),
                           rows.time(2), rows.bytes(3)});
  }
  return checkpoints;
}

std::vector<audit::Event> search_events(Connection& connection, const audit::Query& query) {
  const Filter filter = filter_of(query);
  Statement find(connection, fmt::format("SELECT {} FROM otp_events WHERE {} "
                                         "ORDER BY created_at DESC, id DESC LIMIT ?",
                                         k_event_columns, filter.sql));
  int index = 0;
  for (const auto& argument : filter.arguments) {
    std::visit([&](const auto& value) { find.bind(++index, value); }, argument);
  }
  find.bind(++index, std::clamp<std::size_t>(query.limit, 1, k_max_search));
  std::vector<audit::Event> events;
  Rows rows = find.rows();
  while (rows.next()) events.push_back(event_of(rows));
  return events;
}

}  // namespace otpd::storage::sqlite
