// AuditLog: the port through which the audit log is read. It is written by Store::commit, in the
// same atomic step as the state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/event.h"
#include "base/result.h"
#include "base/task.h"

namespace otpd::audit {

// Every given member narrows the answer. Newest first.
struct Query {
  std::string channel_hash;
  std::string user_id;
  std::string verification_id;
  std::string event_type;
  std::optional<TimePoint> from;  // inclusive
  std::optional<TimePoint> to;    // exclusive
  std::size_t limit = 100;        // 1 to 1,000
};

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  virtual Task<Result<std::vector<Event>>> search(Query query) = 0;
};

}  // namespace otpd::audit
