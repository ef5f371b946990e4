// FaultPlan: what a simulated carrier is to do wrong, as a value and as JSON.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace otpd::sim {

// How long something takes. With all zero it takes no time.
struct Delay {
  enum class Shape : std::uint8_t { fixed, uniform, lognormal };
  Shape shape = Shape::fixed;
  Millis low{0};   // the time itself; the least one; the median
  Millis high{0};  // not used; the greatest one; the 99th percentile

  bool is_zero() const { return low == Millis(0) && high == Millis(0); }
};

// When nobody is there at all.
struct Outage {
  enum class When : std::uint8_t { never, always, window, cycle };
  When when = When::never;
  std::optional<TimePoint> from;   // window: open at the side that is missing
  std::optional<TimePoint> until;  // the first moment after it
  Millis every{0};                 // cycle: since the plan came into force, the first `length` of
  Millis length{0};                // every `every`
  bool as_error = false;           // answered as an error instead of by ending the connection
};

// What becomes of the receipts of an accepted message.
enum class ReceiptMode : std::uint8_t { on, off, duplicate, out_of_order, failed };

struct FaultPlan {
  double error_rate = 0;            // answered with an error in the carrier's words
  std::optional<int> status;        // HTTP status of those; none: the carrier's own
  std::string code;                 // the carrier's code of those; empty: its usual one
  double throttle_rate = 0;         // answered as too fast, in the carrier's words
  int retry_after = 0;              // seconds, told with an error or a throttling; 0: not told
  Delay latency;                    // before any answer
  bool hang = false;                // no answer, until the plan changes
  double reset_rate = 0;            // the connection is reset and nothing is taken
  double garbage_rate = 0;          // answered with what is no answer, and nothing is taken
  double lose_rate = 0;             // accepted, never seen again, no receipt
  double drop_rate = 0;             // taken, but the connection ends without an answer
  std::set<std::string> reject_to;  // refused for good
  ReceiptMode receipts = ReceiptMode::on;
  Delay receipt_delay{.low = Millis(20)};  // from the acceptance to the first, and between two
  Outage outage;
  std::optional<std::uint64_t> seed;  // of what is random from here on; none: the program's
};

// The plan in the JSON of the faults interface; members that are missing have their defaults, so
// that "{}" ends all faults. Fails with the name of a member that is unknown or has a bad value.
Result<FaultPlan> parse_faults(std::string_view json);
// Such JSON again, with every member that is not missing by default.
std::string faults_to_json(const FaultPlan& plan);

// Whether the outage holds at `now`, for a plan in force since `since`.
bool is_out(const Outage& outage, TimePoint since, TimePoint now);

}  // namespace otpd::sim
