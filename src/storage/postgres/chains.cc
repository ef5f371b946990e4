#include "storage/postgres/chains.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

#include "storage/limits.h"
#include "storage/postgres/event_rows.h"

namespace otpd::storage::postgres {
namespace {

constexpr std::size_t k_max_lines = 1'000;

Argument chain_argument(std::uint32_t chain) {
  return number(std::int64_t{chain});
}

Argument limit_argument(std::size_t limit) {
  return number(static_cast<std::int64_t>(std::clamp<std::size_t>(limit, 1, k_max_lines)));
}

// A number beyond every line stays one.
Argument number_argument(std::uint64_t value) {
  return number(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

audit::Head lock_head(Session& session, std::uint32_t chain) {
  constexpr std::string_view k_lock =
      "SELECT number, hash FROM otp_chain_heads WHERE chain = $1 FOR UPDATE";
  audit::Head head{.chain = chain};
  Rows rows = session.run(k_lock, {chain_argument(chain)});
  if (rows.size() == 0) {
    session.run("INSERT INTO otp_chain_heads VALUES ($1, 0, $2) ON CONFLICT DO NOTHING",
                {chain_argument(chain), bytea(head.hash)});
    rows = session.run(k_lock, {chain_argument(chain)});
  }
  if (rows.size() == 0) return head;
  head.number = rows.count(0, 0);
  head.hash = rows.bytes(0, 1);
  return head;
}

// The ids, as stored, of those events that are there already. One index probe for each, in its
// month.
std::set<std::string> ids_there(Session& session, const std::vector<audit::Event>& events) {
  Array ids(oid::k_uuid_array, oid::k_uuid);
  Array times(oid::k_timestamptz_array, oid::k_timestamptz);
  for (const audit::Event& event : events) {
    ids.add(id_column(event.id));
    times.add_timestamp(event.created_at);
  }
  const Rows rows = session.run(
      "SELECT e.id FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, at) "
      "JOIN otp_events e ON e.id = u.id AND e.created_at = u.at",
      {ids.take(), times.take()});
  std::set<std::string> there;
  for (int row = 0; row < rows.size(); ++row) there.insert(rows.bytes(row, 0));
  return there;
}

// The conditions that are given, and what is bound to them.
class SearchFilter {
 public:
  explicit SearchFilter(const audit::Query& query) {
    add_text("channel_hash", query.channel_hash);
    if (!query.user_id.empty()) add("user_id =", uuid(id_column(query.user_id)));
    add_text("verification_id", query.verification_id);
    add_text("event_type", query.event_type);
    if (query.application) {
      add("coalesce(application, '') =", text(text_column(*query.application)));
    }
    if (query.from) add("created_at >=", timestamp(*query.from));
    if (query.to) add("created_at <", timestamp(*query.to));
    if (query.before) add_before(*query.before);
  }
  const std::string& sql() const { return sql_; }
  const Arguments& arguments() const { return arguments_; }

 private:
  void add(const char* condition, Argument argument) {
    arguments_.push_back(std::move(argument));
    sql_ += arguments_.size() == 1 ? " WHERE " : " AND ";
    sql_ += condition;
    sql_ += " $" + std::to_string(arguments_.size());
  }
  void add_before(const audit::Place& place) {
    add("(created_at, id) < (", timestamp(place.created_at));
    arguments_.push_back(uuid(id_column(place.id)));
    sql_ += ", $" + std::to_string(arguments_.size()) + ")";
  }
  void add_text(const std::string& column, const std::string& wanted) {
    if (!wanted.empty()) add((column + " =").c_str(), text(text_column(wanted)));
  }

  std::string sql_;
  Arguments arguments_;
};

}  // namespace

void append_events(Session& session, std::uint32_t chain, const std::vector<audit::Event>& events) {
  if (events.empty()) return;
  audit::Head head = lock_head(session, chain);
  std::set<std::string> seen = ids_there(session, events);
  EventRows rows;
  for (const audit::Event& event : events) {
    if (!seen.insert(id_column(event.id)).second) continue;
    const std::string canonical = audit::canonical(event);
    head = audit::extend(head, canonical);
    rows.add(head, event, canonical);
  }
  if (rows.empty()) return;
  rows.insert(session, chain);
  session.run("UPDATE otp_chain_heads SET number = $2, hash = $3 WHERE chain = $1",
              {chain_argument(chain), number(head.number), bytea(head.hash)});
}

std::vector<audit::Event> search_events(Session& session, const audit::Query& query) {
  const SearchFilter filter(query);
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, k_max_search);
  const Rows rows = session.run_once(
      std::string("SELECT ") + k_event_columns + " FROM otp_events" + filter.sql() +
          " ORDER BY created_at DESC, id DESC LIMIT " + std::to_string(limit),
      filter.arguments());
  std::vector<audit::Event> events;
  for (int row = 0; row < rows.size(); ++row) events.push_back(event_of(session, rows, row));
  return events;
}

std::vector<audit::Head> chain_heads(Session& session) {
  const Rows rows = session.run(
      "SELECT chain::int8, number, hash FROM otp_chain_heads WHERE number > 0 ORDER BY chain");
  std::vector<audit::Head> heads;
  for (int row = 0; row < rows.size(); ++row) {
    heads.push_back(
        {static_cast<std::uint32_t>(rows.count(row, 0)), rows.count(row, 1), rows.bytes(row, 2)});
  }
  return heads;
}

std::optional<audit::ChainSpan> chain_span(Session& session, std::uint32_t chain, TimePoint from,
                                           TimePoint to) {
  // Which index serves depends on how long the time is.
  const Rows rows = session.run_once(
      "SELECT min(number), max(number) FROM otp_events "
      "WHERE chain = $1 AND created_at >= $2 AND created_at < $3 AND number > "
      "coalesce((SELECT number FROM otp_chain_starts WHERE chain = $1), 0)",
      {chain_argument(chain), timestamp(from), timestamp(to)});
  if (rows.size() == 0 || rows.is_null(0, 0)) return std::nullopt;
  return audit::ChainSpan{rows.count(0, 0), rows.count(0, 1)};
}

std::vector<audit::Line> chain_lines(Session& session, std::uint32_t chain, std::uint64_t from,
                                     std::size_t limit) {
  static const std::string k_select =
      std::string("SELECT number, hash, ") + k_event_columns +
      " FROM otp_events WHERE chain = $1 AND number >= $2 AND number > "
      "coalesce((SELECT number FROM otp_chain_starts WHERE chain = $1), 0) "
      "ORDER BY number LIMIT $3";
  const Rows rows =
      session.run(k_select, {chain_argument(chain), number_argument(from), limit_argument(limit)});
  std::vector<audit::Line> lines;
  for (int row = 0; row < rows.size(); ++row) {
    lines.push_back({rows.count(row, 0), event_of(session, rows, row, 2), rows.bytes(row, 1)});
  }
  return lines;
}

std::vector<audit::Checkpoint> chain_checkpoints(Session& session, std::uint32_t chain,
                                                 std::uint64_t from, std::size_t limit) {
  const Rows rows = session.run(
      "(SELECT number, hash, at, signature FROM otp_checkpoints "
      "WHERE chain = $1 AND number < $2 AND number >= "
      "coalesce((SELECT number FROM otp_chain_starts WHERE chain = $1), 0) "
      "ORDER BY number DESC LIMIT 1) "
      "UNION ALL (SELECT number, hash, at, signature FROM otp_checkpoints "
      "WHERE chain = $1 AND number >= $2 ORDER BY number LIMIT $3) ORDER BY number LIMIT $3",
      {chain_argument(chain), number_argument(from), limit_argument(limit)});
  std::vector<audit::Checkpoint> checkpoints;
  for (int row = 0; row < rows.size(); ++row) {
    checkpoints.push_back({chain, rows.count(row, 0), rows.bytes(row, 1), rows.milliseconds(row, 2),
                           rows.bytes(row, 3)});
  }
  return checkpoints;
}

void add_checkpoint(Session& session, const audit::Checkpoint& checkpoint) {
  session.run(
      "INSERT INTO otp_checkpoints (chain, number, hash, at, signature) "
      "VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
      {chain_argument(checkpoint.chain), number(checkpoint.number), bytea(checkpoint.hash),
       milliseconds(checkpoint.at), bytea(checkpoint.signature)});
}

}  // namespace otpd::storage::postgres
