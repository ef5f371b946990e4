// AuditLog: the port through which the audit log is read. It is written by Store::commit, in the
// same atomic step as the state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/chain.h"
#include "audit/event.h"
#include "base/result.h"
#include "base/task.h"

namespace otpd::audit {

// Where an event stands among those that a search finds: newest first, and within a millisecond by
// id.
struct Place {
  TimePoint created_at;
  std::string id;
  bool operator==(const Place&) const = default;
};

// Every given member narrows the answer. Newest first.
struct Query {
  std::string channel_hash;
  std::string user_id;
  std::string verification_id;
  std::string event_type;
  std::optional<std::string> application;  // empty: what is the base one's, or nobody's
  std::optional<TimePoint> from;           // inclusive
  std::optional<TimePoint> to;             // exclusive
  // Only what comes after this place: (created_at, id) is less than its own. With the place of the
  // last event of a page it gives the next one; none is left out or given twice.
  std::optional<Place> before;
  std::size_t limit = 100;  // 1 to 1,000
};

// Some lines of one chain, those of a time and all between them.
struct ChainSpan {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual Task<Result<std::vector<Event>>> search(Query query) = 0;

  // --- the chains, see chain.h -----------------------------------------------------------------
  // The end of every chain that has a line.
  virtual Task<Result<std::vector<Head>>> heads() = 0;
  // From the first to the last line whose event happened in [from, to); nothing if there is none.
  virtual Task<Result<std::optional<ChainSpan>>> span(std::uint32_t chain, TimePoint from,
                                                      TimePoint to) = 0;
  // Up to `limit` (at most 1,000) lines, from that number on, in order.
  virtual Task<Result<std::vector<Line>>> lines(std::uint32_t chain, std::uint64_t from,
                                                std::size_t limit) = 0;
  // The last checkpoint before line `from` if there is one, then those from it on, in order; at
  // most `limit` (at most 1,000).
  virtual Task<Result<std::vector<Checkpoint>>> checkpoints(std::uint32_t chain, std::uint64_t from,
                                                            std::size_t limit) = 0;
  // One for the same line is there at most once: the first stays.
  virtual Task<Result<void>> add_checkpoint(Checkpoint checkpoint) = 0;
};

}  // namespace otpd::audit
