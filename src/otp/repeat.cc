#include "otp/repeat.h"

#include "crypto/primitives.h"
#include "otp/keys.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_request_bytes = 8;

// The answer's hash as one verification keeps it: the same answer to another looks different.
std::string proof_of(const Asker& asker, std::string_view verification_id) {
  return crypto::hmac_sha256(asker.answer, verification_id);
}

void forget(Verification& verification) {
  verification.answered = {};
}

bool is_recent(const Verification& verification, TimePoint now) {
  return now < verification.ended_at + k_repeat_for && verification.ended_at < now + k_repeat_for;
}

}  // namespace

std::string known_caller(std::string_view index_key, std::string_view application,
                         std::string_view caller, std::string_view client_ip) {
  const std::string_view name = caller.empty() ? client_ip : caller;
  if (name.empty()) return {};
  return keyed_hash(index_key, caller.empty() ? "repeat by address" : "repeat by key", application,
                    name);
}

Asker make_asker(std::string_view index_key, std::string_view application, std::string_view caller,
                 std::string_view client_ip, std::string_view answer, Random& random) {
  std::string known = known_caller(index_key, application, caller, client_ip);
  if (known.empty()) return {};
  return {std::move(known),
          crypto::hmac_sha256_parts(index_key, {"repeated answer", application, answer}),
          random.bytes(k_request_bytes)};
}

void remember_answer(Verification& approved, const Asker& asker, std::string sealed_session) {
  if (asker.caller.empty()) return;
  approved.answered = {asker.caller, proof_of(asker, approved.id), std::move(sealed_session), 0,
                       asker.request};
}

Repeat repeat(Verification* target, const Asker& asker, TimePoint now) {
  if (target == nullptr || asker.caller.empty() || target->state != VerificationState::approved ||
      !is_recent(*target, now) ||
      !crypto::equal_constant_time(target->answered.caller, asker.caller)) {
    return Repeat::none;
  }
  const bool same =
      crypto::equal_constant_time(target->answered.proof, proof_of(asker, target->id));
  if (!same || target->answered.request == asker.request ||
      target->answered.repeats >= k_max_repeats) {
    forget(*target);
    return Repeat::refused;
  }
  ++target->answered.repeats;
  return Repeat::granted;
}

void forget_answers(RecipientState& state, TimePoint now) {
  for (Verification& verification : state.verifications) {
    if (!is_recent(verification, now)) forget(verification);
  }
}

}  // namespace otpd::otp
