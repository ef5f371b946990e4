#include "otp/rotation.h"

#include "crypto/primitives.h"
#include "otp/ids.h"
#include "otp/repeat.h"

namespace otpd::otp {
namespace {

constexpr Millis k_tell_reuse_every{60'000};

bool is_recent_rotation(const Rotation& rotation, TimePoint now) {
  return std::chrono::abs(now - rotation.at) < k_repeat_for;
}

bool may_hear_again(const Session& session, const RotationQuestion& question, TimePoint now) {
  const Rotation& last = session.rotation;
  return is_just_rotated(session, question.presented, now) && !question.caller.empty() &&
         !last.sealed_next.empty() && last.repeats < k_max_repeats &&
         crypto::equal_constant_time(last.caller, question.caller);
}

}  // namespace

TokenHashes TokenHashes::of(std::string_view secret) {
  return {crypto::sha256(secret), crypto::sha256(secret.substr(0, k_session_family_bytes))};
}

RotationOutcome rotate(SessionsState& state, const RotationQuestion& question, TimePoint now) {
  using What = RotationOutcome::What;
  if (Session* live = find_session(state, question.presented.token, question.idle, now)) {
    live->token_hash = question.next.token;
    live->last_used_at = now;
    live->rotation = {.family_hash = question.next.family,
                      .at = now,
                      .from_hash = question.presented.token,
                      .caller = std::string(question.caller),
                      .sealed_next = std::string(question.sealed_next),
                      .repeats = 0,
                      .reuse_told_at = live->rotation.reuse_told_at};
    return {What::rotated, *live};
  }
  Session* older = find_rotated_away(state, question.presented, question.idle, now);
  if (older == nullptr) return {};
  if (!may_hear_again(*older, question, now)) return {What::reused, end_session(state, older)};
  ++older->rotation.repeats;
  return {What::repeated, *older};
}

Session* find_rotated_away(SessionsState& state, const TokenHashes& presented, Seconds idle,
                           TimePoint now) {
  Session* found = nullptr;
  for (Session& session : state.sessions) {
    const bool kin = crypto::equal_constant_time(session.rotation.family_hash, presented.family);
    const bool current = crypto::equal_constant_time(session.token_hash, presented.token);
    if (kin && !current) found = &session;
  }
  return found != nullptr && is_live(*found, idle, now) ? found : nullptr;
}

bool is_just_rotated(const Session& session, const TokenHashes& presented, TimePoint now) {
  return is_recent_rotation(session.rotation, now) &&
         crypto::equal_constant_time(session.rotation.from_hash, presented.token);
}

bool tell_reuse(Session& session, const TokenHashes& presented, TimePoint now) {
  if (is_just_rotated(session, presented, now) ||
      std::chrono::abs(now - session.rotation.reuse_told_at) < k_tell_reuse_every) {
    return false;
  }
  session.rotation.reuse_told_at = now;
  return true;
}

void forget_rotations(SessionsState& state, TimePoint now) {
  for (Session& session : state.sessions) {
    Rotation& rotation = session.rotation;
    if (rotation.from_hash.empty() || is_recent_rotation(rotation, now)) continue;
    rotation.from_hash.clear();
    rotation.caller.clear();
    rotation.sealed_next.clear();
    rotation.repeats = 0;
  }
}

}  // namespace otpd::otp
