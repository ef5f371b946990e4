#include "otp/verification.h"

#include <algorithm>

#include "crypto/primitives.h"
#include "otp/friction.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_max_verifications = 8;  // live and ended, for their status
constexpr std::size_t k_max_admissions = 8;
constexpr Seconds k_remember{86'400};  // an ended verification, for its status

void end(Verification& verification, VerificationState state, TimePoint now) {
  verification.state = state;
  verification.ended_at = now;
  verification.codes.clear();
  verification.salt.clear();
  verification.sealed_code.clear();
}

void set_delivery(Verification& verification, DeliveryState delivery, std::string_view error,
                  TimePoint now) {
  verification.delivery = delivery;
  verification.delivery_error = error;
  verification.delivery_at = now;
}

// A clock that stepped back must not lengthen a life.
void clamp_to_clock(RecipientState& state, TimePoint now) {
  for (Verification& verification : state.verifications) {
    if (verification.created_at <= now) continue;
    verification.expires_at -= verification.created_at - now;
    verification.created_at = now;
    verification.last_send_at = std::min(verification.last_send_at, now);
  }
}

// The newest verification of that purpose and context, whatever its state.
Verification* newest(RecipientState& state, std::string_view purpose,
                     std::string_view context_hash) {
  const auto found = std::find_if(state.verifications.rbegin(), state.verifications.rend(),
                                  [&](const Verification& v) {
                                    return v.purpose == purpose && v.context_hash == context_hash;
                                  });
  return found == state.verifications.rend() ? nullptr : &*found;
}

// The verification that a guess is about.
Verification* target_of(RecipientState& state, const VerifyQuestion& question) {
  if (question.verification_id.empty()) {
    return newest(state, question.purpose, question.context_hash);
  }
  Verification* named = find_verification(state, question.verification_id);
  const bool fits = named != nullptr && named->purpose == question.purpose &&
                    named->context_hash == question.context_hash;
  return fits ? named : nullptr;
}

// Until the cool-down after the latest message for this purpose ends; 0 if it has.
Millis cool_down(const RecipientState& state, const SendQuestion& question, TimePoint now) {
  Millis wait{0};
  for (const Verification& v : state.verifications) {
    // To a test recipient no message went.
    if (v.purpose == question.purpose && v.is_live(now) && !v.test_recipient) {
      wait = std::max(wait, v.last_send_at + question.policy.resend_after - now);
    }
  }
  return wait;
}

FurtherCode further_code(const Verification& v, const LimitVerdict& verdict) {
  return {v.id, v.salt, v.params, v.pepper_id, v.digits, v.sealed_code, verdict};
}

// A live verification with attempts left gets a further code; but a fixed code and a drawn one are
// never of one verification.
SendPlan plan_code(RecipientState& state, const SendQuestion& question, const LimitVerdict& verdict,
                   TimePoint now) {
  const Verification* live = newest(state, question.purpose, question.context_hash);
  if (live == nullptr || !live->is_live(now) || live->attempts_remaining() == 0 ||
      live->test_recipient != question.test_recipient) {
    return FirstCode{verdict};
  }
  return further_code(*live, verdict);
}

// A test recipient has no limit to be told of.
SendPlan plan_fixed_code(RecipientState& state, const SendQuestion& question, TimePoint now) {
  const LimitVerdict free{.allowed = true, .remaining = question.limits.recipient_sends.max};
  return plan_code(state, question, free, now);
}

// Keeps the list bounded: the oldest ended ones go first, then the oldest live ones.
void make_room(std::vector<Verification>& list, TimePoint now) {
  std::erase_if(list, [&](const Verification& v) { return v.expires_at + k_remember <= now; });
  while (list.size() >= k_max_verifications) {
    auto victim =
        std::ranges::find_if(list, [&](const Verification& v) { return !v.is_live(now); });
    list.erase(victim == list.end() ? list.begin() : victim);
  }
}

Verification& add_verification(RecipientState& state, const SendQuestion& question,
                               const NewCode& code, TimePoint now) {
  make_room(state.verifications, now);
  // Out of attempts, with the last guess perhaps still being hashed: the new one takes its place.
  if (Verification* before = newest(state, question.purpose, question.context_hash);
      before != nullptr && before->is_live(now)) {
    end(*before, VerificationState::superseded, now);
  }
  Verification& added = state.verifications.emplace_back();
  added.id = code.verification_id;
  added.purpose = question.purpose;
  added.context_hash = question.context_hash;
  added.salt = code.salt;
  added.params = code.params;
  added.pepper_id = code.pepper_id;
  added.digits = question.policy.digits;
  added.attempts_max = question.policy.attempts;
  added.created_at = now;
  added.expires_at = now + question.policy.lifetime;
  added.opens_session = question.policy.opens_session;
  added.test_recipient = question.test_recipient;
  return added;
}

void add_code(Verification& verification, const Policy& policy, const NewCode& code,
              TimePoint now) {
  if (!code.digest.empty()) {
    verification.codes.push_back({code.digest, now, code.link_hash});
    if (verification.codes.size() > policy.live_codes) {
      verification.codes.erase(verification.codes.begin());
    }
  }
  verification.sealed_code = code.sealed_code;
  if (!code.user_id.empty()) verification.user_id = code.user_id;
  verification.channel = code.channel;
  verification.country = code.country;
  verification.block = code.block;
  verification.last_send_at = now;
  verification.delivery = DeliveryState::queued;
  verification.delivery_error.clear();
  verification.delivery_at = now;
}

Approved approval_of(const Verification& verification) {
  return {verification.id,   verification.user_id, verification.purpose,      verification.country,
          verification.lane, verification.block,   verification.opens_session};
}

Settlement approve(Verification& verification, TimePoint now) {
  end(verification, VerificationState::approved, now);
  return approval_of(verification);
}

// A right guess is not held against the recipient.
void release_guess(RecipientState& state) {
  if (!state.guesses.empty()) state.guesses.pop_back();
}

// What the repeat of the right answer is told; nothing if it is none.
template <class Out>
std::optional<Out> answer_repeat(Verification* target, const Asker& asker, TimePoint now) {
  switch (repeat(target, asker, now)) {
    case Repeat::none:
      break;
    case Repeat::refused:
      return Gone{.changed = true};
    case Repeat::granted:
      return Repeated{approval_of(*target), target->answered.sealed_session};
  }
  return std::nullopt;
}

bool waits_for_receipt(const Verification& verification) {
  return verification.delivery == DeliveryState::sent ||
         (verification.delivery == DeliveryState::failed &&
          verification.delivery_error == k_fallback_limited);
}

}  // namespace

std::vector<std::string> expire(RecipientState& state, TimePoint now) {
  clamp_to_clock(state, now);
  forget_answers(state, now);
  std::vector<std::string> expired;
  for (Verification& v : state.verifications) {
    if (v.state != VerificationState::live || now < v.expires_at) continue;
    end(v, VerificationState::expired, now);
    expired.push_back(v.id);
  }
  return expired;
}

SendPlan plan_send(RecipientState& state, const SendQuestion& question, TimePoint now) {
  const auto before = std::ranges::find(state.admissions, question.admission_id, &Admission::id);
  if (before != state.admissions.end()) return AlreadyAdmitted{*before};

  if (question.test_recipient) return plan_fixed_code(state, question, now);
  if (const Millis wait = cool_down(state, question, now); wait > Millis(0)) {
    return SendLimited{"resend", {.retry_after = wait, .reset = wait}};
  }
  const LimitVerdict verdict = check_limit(state.sends, question.limits.recipient_sends, now);
  if (!verdict.allowed) return SendLimited{"recipient", verdict};
  const Friction& friction = question.limits.friction;
  const std::uint32_t nth = 1 + count_within(state.sends, friction.window, now);
  const auto level = captcha_level(friction, nth, question.ip_sends, question.pressure);
  if (level && question.captcha_level < level) return CaptchaNeeded{*level};

  return plan_code(state, question, verdict, now);
}

std::optional<Admission> admit(RecipientState& state, const SendQuestion& question,
                               const NewCode& code, TimePoint now) {
  const SendPlan plan = plan_send(state, question, now);
  Verification* verification = nullptr;
  if (std::holds_alternative<FirstCode>(plan) && !code.digest.empty() &&
      find_verification(state, code.verification_id) == nullptr) {
    verification = &add_verification(state, question, code, now);
  } else if (const auto* further = std::get_if<FurtherCode>(&plan);
             further != nullptr && further->verification_id == code.verification_id &&
             further->salt == code.salt) {
    verification = find_verification(state, code.verification_id);
  }
  if (verification == nullptr) return std::nullopt;

  add_code(*verification, question.policy, code, now);
  if (question.test_recipient) {
    set_delivery(*verification, DeliveryState::delivered, {}, now);  // there is nothing to wait for
  } else {
    charge(state.sends, now);
  }
  Admission admission{std::string(question.admission_id),
                      verification->id,
                      code.channel,
                      now,
                      std::chrono::floor<Seconds>(verification->expires_at - now),
                      verification->attempts_remaining(),
                      question.policy.resend_after};
  if (code.remember_admission) {
    if (state.admissions.size() >= k_max_admissions)
      state.admissions.erase(state.admissions.begin());
    state.admissions.push_back(admission);
  }
  return admission;
}

Reservation reserve(RecipientState& state, const VerifyQuestion& question, TimePoint now) {
  Verification* target = target_of(state, question);
  if (target != nullptr && target->test_recipient && !question.test_recipient) target = nullptr;
  const std::uint32_t digits = target != nullptr ? target->digits : question.policy_digits;
  if (question.code_length != digits) return BadCode{digits};
  if (auto again = answer_repeat<Reservation>(target, question.asker, now)) return *again;
  if (target == nullptr || now >= target->expires_at) return Gone{};
  if (target->state == VerificationState::exhausted) return Exhausted{target->id};
  if (target->state != VerificationState::live) return Gone{};
  if (target->attempts_remaining() == 0) return Exhausted{target->id};

  const LimitVerdict verdict = check_limit(state.guesses, question.limits.recipient_guesses, now);
  if (!verdict.allowed) return GuessesLimited{verdict};
  charge(state.guesses, now);
  ++target->attempts_used;
  return Reserved{target->id, target->salt, target->params, target->pepper_id};
}

Settlement settle(RecipientState& state, std::string_view verification_id, std::string_view digest,
                  const Asker& asker, TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (auto again = answer_repeat<Settlement>(target, asker, now)) {
    if (std::holds_alternative<Repeated>(*again)) release_guess(state);
    return *again;
  }
  if (target == nullptr || !target->is_live(now)) return Gone{};
  bool match = false;
  for (const CodeHash& code : target->codes) {
    match |= crypto::equal_constant_time(code.digest, digest);
  }
  if (match) {
    release_guess(state);
    return approve(*target, now);
  }
  ++target->attempts_failed;
  Wrong wrong{target->id, target->attempts_remaining(),
              target->attempts_failed >= target->attempts_max};
  if (wrong.poisoned) end(*target, VerificationState::exhausted, now);
  return wrong;
}

Settlement settle_link(RecipientState& state, std::string_view verification_id,
                       std::string_view link_hash, const Asker& asker, TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (auto again = answer_repeat<Settlement>(target, asker, now)) return *again;
  if (target == nullptr || !target->is_live(now)) return Gone{};
  bool match = false;
  for (const CodeHash& code : target->codes) {
    match |= !link_hash.empty() && crypto::equal_constant_time(code.link_hash, link_hash);
  }
  if (!match) return Gone{};
  return approve(*target, now);
}

bool cancel(RecipientState& state, std::string_view verification_id, TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || !target->is_live(now)) return false;
  end(*target, VerificationState::canceled, now);
  return true;
}

bool mark_sent(RecipientState& state, std::string_view verification_id, std::string_view lane,
               std::string_view message_id, TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || target->delivery == DeliveryState::delivered) return false;
  const bool known = target->lane == lane && target->message_id == message_id;
  if (known && target->delivery != DeliveryState::queued) return false;
  target->lane = lane;
  target->message_id = message_id;
  set_delivery(*target, DeliveryState::sent, {}, now);
  return true;
}

bool mark_failed(RecipientState& state, std::string_view verification_id, std::string_view error,
                 TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || target->delivery != DeliveryState::queued) return false;
  set_delivery(*target, DeliveryState::failed, error, now);
  return true;
}

bool mark_fallback_limited(RecipientState& state, std::string_view verification_id,
                           std::string_view message_id, TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || target->delivery != DeliveryState::sent ||
      target->message_id != message_id) {
    return false;
  }
  set_delivery(*target, DeliveryState::failed, k_fallback_limited, now);
  return true;
}

bool mark_charged(RecipientState& state, std::string_view verification_id, ChargedTry charged) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || target->charged == charged) return false;
  target->charged = std::move(charged);
  return true;
}

bool mark_receipt(RecipientState& state, std::string_view verification_id, std::string_view lane,
                  std::string_view message_id, DeliveryState delivery, std::string_view error,
                  TimePoint now) {
  Verification* target = find_verification(state, verification_id);
  if (target == nullptr || !waits_for_receipt(*target) || message_id.empty() ||
      target->lane != lane || target->message_id != message_id) {
    return false;
  }
  set_delivery(*target, delivery, error, now);
  return true;
}

Verification* find_verification(RecipientState& state, std::string_view verification_id) {
  const auto found = std::ranges::find(state.verifications, verification_id, &Verification::id);
  return found == state.verifications.end() ? nullptr : &*found;
}

std::string_view status_name(const Verification& verification, TimePoint now) {
  switch (verification.state) {
    case VerificationState::approved:
      return "approved";
    case VerificationState::exhausted:
      return "exhausted";
    case VerificationState::canceled:
    case VerificationState::superseded:
      return "canceled";
    case VerificationState::expired:
      return "expired";
    case VerificationState::live:
      break;
  }
  if (now >= verification.expires_at) return "expired";
  switch (verification.delivery) {
    case DeliveryState::queued:
      return "queued";
    case DeliveryState::sent:
      return "sent";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::failed:
      return "failed";
  }
  return "queued";
}

TimePoint garbage_at(const RecipientState& state, TimePoint now) {
  TimePoint end = now + std::chrono::hours(24);  // no window of a limit is longer
  for (const Verification& v : state.verifications) end = std::max(end, v.expires_at + k_remember);
  return end;
}

}  // namespace otpd::otp
