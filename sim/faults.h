// Faults: what the simulated carriers do wrong on demand.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/task.h"

namespace otpd::sim {

struct FaultPlan {
  double error_rate = 0;  // of all requests, answered with `status`
  int status = 503;
  Millis latency{0};                // before any answer
  bool hang = false;                // no answer, until the plan changes
  int retry_after = 0;              // seconds, told with an error; 0: not told
  std::set<std::string> reject_to;  // refused for good
  double drop_rate = 0;             // taken, but the connection ends without an answer
};

// The plan in the JSON of POST /faults; members that are missing have their defaults, so that
// "{}" ends all faults. Fails with the name of a member that is unknown or has a bad value.
Result<FaultPlan> parse_faults(std::string_view json);
std::string faults_to_json(const FaultPlan& plan);

// The plan in force. Safe from any thread.
class Faults {
 public:
  explicit Faults(std::uint64_t seed) : random_(seed) {}

  void set(FaultPlan plan);
  std::shared_ptr<const FaultPlan> plan() const;
  // True with probability `rate`.
  bool strikes(double rate);
  // Waits out the plan's latency, or its hanging.
  Task<void> delay();

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const FaultPlan> plan_ = std::make_shared<FaultPlan>();
  SeededRandom random_;
};

}  // namespace otpd::sim
