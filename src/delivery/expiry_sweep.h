// ExpirySweep: sees to it that a verification that nobody asks about any more still gets its
// "expired" audit line (and webhook) soon after its deadline.
//
// The rules end a verification when its record is next looked at; this looks at it. It keeps the
// deadlines of delivered codes in memory, bounded, and finds them again in the audit log after a
// restart. What is beyond the bound is ended when it is next looked at, as the rules do anyway.
#pragma once

#include <map>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "audit/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "otp/store.h"

namespace otpd::delivery {

struct ExpirySweepPorts {
  otp::Store& store;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
};

struct ExpirySweepConfig {
  std::string application = "default";  // the base one
  std::size_t max_waiting = 500'000;    // deadlines in memory, about 100 bytes each
  Millis again_after{5'000};            // when a store that failed is asked again
};

// Lives on one loop; several sweeps may run there at once.
class ExpirySweep {
 public:
  ExpirySweep(ExpirySweepPorts ports, ExpirySweepConfig config);

  // A verification in the recipient's record under `key` ends at `deadline` unless it is used.
  // Beyond the bound nothing is kept.
  void watch(otp::Key key, TimePoint deadline);

  // Ends, in order, all that is past its deadline now.
  Task<void> sweep();

  // Watches what was sent so recently that it may still live, by the lifetime of its purpose.
  // Failures: as the audit log; then what was read so far is watched.
  Task<Result<void>> recover(audit::AuditLog& audit,
                             const std::map<std::string, Millis, std::less<>>& lifetimes);

  std::size_t waiting() const { return deadlines_.size(); }

 private:
  Task<Result<void>> expire(const otp::Key& key);

  using Deadline = std::pair<TimePoint, otp::Key>;
  ExpirySweepPorts ports_;
  const ExpirySweepConfig config_;
  Counter missed_;
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> deadlines_;
};

}  // namespace otpd::delivery
