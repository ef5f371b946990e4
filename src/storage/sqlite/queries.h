// Queries: what the ports ask of the readers. Failures stick to the connection.
#pragma once

#include <cstdint>
#include <vector>

#include "audit/log.h"
#include "delivery/queue.h"
#include "otp/store.h"
#include "storage/sqlite/connection.h"

namespace otpd::storage::sqlite {

// The statement of the hot path, prepared once.
class LoadQuery {
 public:
  explicit LoadQuery(Connection& connection);
  // The record, or version 0.
  otp::Record load(const otp::Key& key);

 private:
  Statement find_;
};

// Everything that waits, for the book.
struct WaitingJob {
  otp::NewJob job;
  std::uint32_t attempts;
};
std::vector<WaitingJob> waiting_jobs(Connection& connection);

// Up to `max` keys of records, in order, after `after` (empty: from the first).
std::vector<otp::Key> record_keys(Connection& connection, const otp::Key& after, std::size_t max);

std::uint64_t count_dead(Connection& connection);
std::vector<delivery::DeadLetter> dead_letters(Connection& connection, std::size_t max);

// AuditLog, of the one chain that a file has (number 0).
std::vector<audit::Head> audit_heads(Connection& connection);
std::optional<audit::ChainSpan> audit_span(Connection& connection, TimePoint from, TimePoint to);
std::vector<audit::Line> audit_lines(Connection& connection, std::uint64_t from, std::size_t max);
std::vector<audit::Checkpoint> audit_checkpoints(Connection& connection, std::uint64_t from,
                                                 std::size_t max);
std::vector<audit::Event> search_events(Connection& connection, const audit::Query& query);

}  // namespace otpd::storage::sqlite
