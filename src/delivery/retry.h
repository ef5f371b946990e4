// Retry: what follows one try to deliver. A pure rule.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/random.h"
#include "delivery/provider.h"

namespace otpd::delivery {

struct RetryPolicy {
  Millis base{500};    // the first wait is drawn from [base/2, base]
  Millis max{30'000};  // no wait is longer, except one that a carrier asks for
};

// A carrier has the message.
struct HandedOver {
  std::string message_id;
};
// Try again at that time.
struct TryAgain {
  TimePoint at;
  std::string reason;  // the carrier's
};
// Give up: a dead letter.
struct GiveUp {
  std::string reason;        // the carrier's, for operators
  std::string_view neutral;  // for callers: one of k_reason_
};
// The verification ended (approved, canceled, …) before the message left: nothing to send.
struct Moot {};
// A limit refuses what would be sent; why, for the audit log. Nothing is sent.
struct Refused {
  std::string_view reason;
};
using NextStep = std::variant<HandedOver, TryAgain, GiveUp, Moot, Refused>;

// Why a message was not delivered, in words that no carrier owns.
inline constexpr std::string_view k_reason_rejected = "recipient_rejected";
inline constexpr std::string_view k_reason_unavailable = "carrier_unavailable";
inline constexpr std::string_view k_reason_misconfigured = "carrier_misconfigured";
inline constexpr std::string_view k_reason_too_late = "too_late";

// A rejected recipient ends it. Everything else is tried again, with a wait that doubles with
// every attempt and is jittered by half, or as long as a throttling carrier asks; and is given up
// as soon as the next try would come at or after `expires_at`, when the code is worth nothing.
// Never Moot or Refused.
NextStep next_step(const Outcome& outcome, std::uint32_t attempt, TimePoint now,
                   TimePoint expires_at, const RetryPolicy& policy, Random& random);

}  // namespace otpd::delivery
