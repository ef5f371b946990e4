// Idempotency: a repeated request is answered as the first one was, and nothing is sent twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "otp/ids.h"
#include "otp/keys.h"
#include "otp/state.h"

namespace otpd::otp {

// What an accepted send answers.
struct Accepted {
  VerificationId verification_id;
  std::string channel;
  Seconds expires_in{0};
  std::uint32_t attempts_remaining = 0;
  Seconds resend_after{0};
};

// One idempotency key of one caller; without a fingerprint it is new.
struct IdempotencyState {
  std::string fingerprint;   // keyed hash of the request
  std::string admission_id;  // the same for every try of this request
  TimePoint claimed_at;
  std::optional<Accepted> answer;
};

// How long a claim without an answer is taken for a request in progress; after that its process
// is taken for dead, and the next try carries on under the same admission.
inline constexpr Seconds k_claim_lives{15};

struct Claimed {
  std::string admission_id;
};
struct Replay {
  Accepted answer;
};
struct KeyReused {};
struct InProgress {};
using ClaimOutcome = std::variant<Claimed, Replay, KeyReused, InProgress>;

// What a request with this fingerprint may do. Changes the state only if Claimed; `drawn_id`
// becomes the admission of a new claim.
ClaimOutcome claim(IdempotencyState& state, std::string_view fingerprint, std::string_view drawn_id,
                   Seconds ttl, TimePoint now);

// Ends a claim of which nobody knows how far it came (the store failed): the next try need not
// wait, and carries on under the same admission.
void release(IdempotencyState& state);

std::string encode(const IdempotencyState& state);
template <>
Result<IdempotencyState> decode(std::string_view bytes);

}  // namespace otpd::otp
