// Rotation: a session's token is changed for another, and an older one that turns up again is a
// sign that somebody has a copy. Pure rules.
//
// All tokens of a session share their first k_session_family_bytes, so that an older one is known
// again however many rotations ago it was, without a list of them; the rest of each is drawn anew.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otp/sessions_state.h"

namespace otpd::otp {

// By what a token is looked for.
struct TokenHashes {
  std::string token;
  std::string family;

  // Of the secret part, k_session_secret_bytes long.
  static TokenHashes of(std::string_view secret);
};

struct RotationQuestion {
  const TokenHashes& presented;
  const TokenHashes& next;  // of the same family
  std::string_view sealed_next;
  std::string_view caller;  // keyed hash
  Seconds idle;
};

struct RotationOutcome {
  enum class What : std::uint8_t {
    none,      // no live session has, or had, that token: nothing changed
    rotated,   // from now on `next` is its token
    repeated,  // its caller has not heard the answer: the new token again, in session.rotation
    reused,    // an older token: the session has ended
  };
  What what = What::none;
  Session session{};  // as it is now, or was
};

// Changes the token of the session that has the presented one.
RotationOutcome rotate(SessionsState& state, const RotationQuestion& question, TimePoint now);

// The live session that had this token before, or null.
Session* find_rotated_away(SessionsState& state, const TokenHashes& presented, Seconds idle,
                           TimePoint now);

// Whether that older token is one of a moment ago: other requests of its client may be on their
// way with it.
bool is_just_rotated(const Session& session, const TokenHashes& presented, TimePoint now);

// Whether the use of an older token is to be written down now; notes that it is.
bool tell_reuse(Session& session, const TokenHashes& presented, TimePoint now);

// Forgets the new tokens that nobody can be told again.
void forget_rotations(SessionsState& state, TimePoint now);

}  // namespace otpd::otp
