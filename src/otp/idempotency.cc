#include "otp/idempotency.h"

namespace otpd::otp {

ClaimOutcome claim(IdempotencyState& state, std::string_view fingerprint, std::string_view drawn_id,
                   Seconds ttl, TimePoint now) {
  if (state.fingerprint.empty() || state.claimed_at + ttl <= now) {
    state = {std::string(fingerprint), std::string(drawn_id), now, {}};
    return Claimed{state.admission_id};
  }
  if (state.fingerprint != fingerprint) return KeyReused{};
  if (state.answer) return Replay{*state.answer};
  // A claim from the future is a clock that stepped back: its process may well be alive.
  if (now < state.claimed_at + k_claim_lives) return InProgress{};
  state.claimed_at = now;
  return Claimed{state.admission_id};
}

void release(IdempotencyState& state) {
  state.claimed_at -= k_claim_lives;
}

}  // namespace otpd::otp
