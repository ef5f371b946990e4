#include "delivery/retry.h"

#include <algorithm>

namespace otpd::delivery {
namespace {

Millis backoff(std::uint32_t attempt, const RetryPolicy& policy, Random& random) {
  const std::uint32_t doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  const Millis full = std::min(policy.base * (std::int64_t{1} << doublings), policy.max);
  const auto half = static_cast<std::uint64_t>(full.count() / 2);
  return full - Millis(static_cast<std::int64_t>(random.u64() % (half + 1)));
}

}  // namespace

NextStep next_step(const Outcome& outcome, std::uint32_t attempt, TimePoint now,
                   TimePoint expires_at, const RetryPolicy& policy, Random& random) {
  if (outcome.kind == Outcome::Kind::accepted) return HandedOver{outcome.message_id};
  if (outcome.kind == Outcome::Kind::rejected) return GiveUp{outcome.reason, k_reason_rejected};
  Millis wait = backoff(attempt, policy, random);
  if (outcome.kind == Outcome::Kind::throttled && outcome.retry_after) {
    wait = std::max(wait, *outcome.retry_after);
  }
  if (now + wait < expires_at) return TryAgain{now + wait, outcome.reason};
  return GiveUp{outcome.reason, outcome.kind == Outcome::Kind::misconfigured
                                    ? k_reason_misconfigured
                                    : k_reason_unavailable};
}

}  // namespace otpd::delivery
