#include "storage/postgres/partitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "storage/postgres/schema.h"

namespace otpd::storage::postgres {
namespace {

constexpr std::string_view k_prefix = "otp_events_";

// "2027-11-01 00:00:00+00"
std::string bound_of(Month month) {
  return fmt::format("{:04}-{:02}-01 00:00:00+00", month / 12, month % 12 + 1);
}

bool exists(Session& session, const std::string& partition) {
  const Rows there = session.run(
      "SELECT 1 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
      "WHERE i.inhparent = 'otp_events'::regclass AND c.relname = $1",
      {text(partition)});
  return there.size() > 0;
}

// Made beside the table and attached then, which blocks nobody; PARTITION OF would.
void make_partition(Session& session, Month month) {
  const std::string name = partition_name(month);
  session.run("SELECT pg_advisory_xact_lock($1)", {number(advisory::k_partitions)});
  if (!session.ok() || exists(session, name)) return;
  session.script("CREATE TABLE " + name + " (LIKE otp_events INCLUDING DEFAULTS)");
  session.script("ALTER TABLE otp_events ATTACH PARTITION " + name + " FOR VALUES FROM ('" +
                 bound_of(month) + "') TO ('" + bound_of(month + 1) + "')");
}

std::optional<Month> month_of_name(std::string_view name) {
  if (!name.starts_with(k_prefix)) return std::nullopt;
  name.remove_prefix(k_prefix.size());
  int number = 0;
  const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (bad != std::errc() || end != name.data() + name.size() || name.size() != 6) {
    return std::nullopt;
  }
  return number / 100 * 12 + number % 100 - 1;
}

std::vector<Month> months_there(Session& session) {
  const Rows rows = session.run(
      "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
      "WHERE i.inhparent = 'otp_events'::regclass");
  std::vector<Month> months;
  for (int row = 0; row < rows.size(); ++row) {
    if (const auto month = month_of_name(rows.bytes(row, 0))) months.push_back(*month);
  }
  return months;
}

// How many lines a partition holds: counted, unless that would take long.
std::uint64_t lines_in(Session& session, const std::string& name) {
  constexpr std::uint64_t k_many = 100'000;
  const Rows guess = session.run(
      "SELECT greatest(c.reltuples, 0)::int8 FROM pg_inherits i JOIN pg_class c ON c.oid = "
      "i.inhrelid "
      "WHERE i.inhparent = 'otp_events'::regclass AND c.relname = $1",
      {text(name)});
  if (guess.size() == 0) return 0;
  if (guess.count(0, 0) > k_many) return guess.count(0, 0);
  const Rows counted = session.run_once("SELECT count(*) FROM (SELECT 1 FROM " + name + " LIMIT " +
                                        std::to_string(10 * k_many) + ") AS lines");
  return counted.size() == 0 ? 0 : counted.count(0, 0);
}

// Each chain begins behind its last line that goes. One index probe for each chain.
void note_starts(Session& session, const std::string& name) {
  session.run_once(
      "INSERT INTO otp_chain_starts (chain, number) "
      "SELECT h.chain, last.number FROM otp_chain_heads h, LATERAL ("
      "SELECT number FROM " +
      name +
      " WHERE chain = h.chain ORDER BY number DESC LIMIT 1) AS last "
      "ON CONFLICT (chain) DO UPDATE "
      "SET number = greatest(otp_chain_starts.number, excluded.number)");
}

}  // namespace

Month month_of(TimePoint time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return static_cast<int>(day.year()) * 12 + static_cast<int>(static_cast<unsigned>(day.month())) -
         1;
}

TimePoint begin_of(Month month) {
  const std::chrono::year_month_day day{std::chrono::year(month / 12),
                                        std::chrono::month(static_cast<unsigned>(month % 12 + 1)),
                                        std::chrono::day(1)};
  return std::chrono::sys_days(day);
}

std::string partition_name(Month month) {
  return fmt::format("{}{:04}{:02}", k_prefix, month / 12, month % 12 + 1);
}

void Partitions::ensure(Session& session, const std::vector<audit::Event>& events) {
  for (const audit::Event& event : events) {
    ensure(session, month_of(storable_time(event.created_at)));
  }
}

void Partitions::ensure(Session& session, Month month) {
  if (!session.ok() || knows(month)) return;
  auto made = session.transact<bool>([&] {
    make_partition(session, month);
    return true;
  });
  if (!made) return session.note(made.error());
  const std::lock_guard lock(mutex_);
  known_.insert(month);
}

void Partitions::forget() {
  const std::lock_guard lock(mutex_);
  known_.clear();
}

bool Partitions::knows(Month month) {
  const std::lock_guard lock(mutex_);
  return known_.contains(month);
}

std::uint64_t drop_partitions(Session& session, TimePoint before) {
  std::uint64_t lines = 0;
  std::vector<Month> months = months_there(session);
  std::ranges::sort(months);
  for (const Month month : months) {
    if (!session.ok() || begin_of(month + 1) > before + Millis(1)) break;
    const std::string name = partition_name(month);
    auto dropped = session.transact<std::uint64_t>([&] {
      session.run("SELECT pg_advisory_xact_lock($1)", {number(advisory::k_partitions)});
      if (!exists(session, name)) return std::uint64_t{0};
      const std::uint64_t held = lines_in(session, name);
      // Nobody who reads or writes waits for long behind us if somebody reads for long.
      session.script("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '2s'");
      session.script("LOCK TABLE otp_events");
      note_starts(session, name);
      session.script("DROP TABLE " + name);
      return held;
    });
    if (!dropped) session.note(dropped.error());
    lines += dropped.value_or(0);
  }
  return lines;
}

}  // namespace otpd::storage::postgres
