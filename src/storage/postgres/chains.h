// Chains: the audit log as it is written and read, on one session. Failures stick to the session.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "audit/chain.h"
#include "audit/log.h"
#include "storage/postgres/partitions.h"
#include "storage/postgres/session.h"

namespace otpd::storage::postgres {

// Inside a transaction, whose last lock is the chain's head: appends the events whose id is not
// there yet, in order. (An id is looked for together with its time: an event that comes again comes
// with the same one.)
void append_events(Session& session, std::uint32_t chain, const std::vector<audit::Event>& events);

// Runs `body() -> T`, which appends `events`, in a transaction, after making the partitions that
// they need.
template <class T, class Body>
Result<T> transact_with_events(Session& session, Partitions& partitions,
                               const std::vector<audit::Event>& events, Body body) {
  constexpr std::string_view k_no_partition = "23514";  // check_violation
  for (int tries = 1;; ++tries) {
    partitions.ensure(session, events);
    if (auto made = session.take_failure(); !made) return std::unexpected(made.error());
    auto done = session.transact<T>(body);
    if (done || tries > 1 || session.failed_state() != k_no_partition) return done;
    partitions.forget();  // somebody dropped one
  }
}

std::vector<audit::Event> search_events(Session& session, const audit::Query& query);

// The rest of AuditLog. A chain of which retention took lines begins behind the last of them: the
// few before it that are of a later month, and the checkpoints before it, are not given any more.
std::vector<audit::Head> chain_heads(Session& session);
std::optional<audit::ChainSpan> chain_span(Session& session, std::uint32_t chain, TimePoint from,
                                           TimePoint to);
std::vector<audit::Line> chain_lines(Session& session, std::uint32_t chain, std::uint64_t from,
                                     std::size_t limit);
std::vector<audit::Checkpoint> chain_checkpoints(Session& session, std::uint32_t chain,
                                                 std::uint64_t from, std::size_t limit);
void add_checkpoint(Session& session, const audit::Checkpoint& checkpoint);

}  // namespace otpd::storage::postgres
