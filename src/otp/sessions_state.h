// The sessions of one user, in one record: listing them and logging out everywhere are one step.
// Pure rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "otp/state.h"

namespace otpd::otp {

// What is kept of the last change of a session's token for another (rotation.h).
struct Rotation {
  std::string family_hash;  // of what all tokens of the session share; empty: it never changed
  TimePoint at;
  // For as long as the new token is told once more, to whom; empty afterwards.
  std::string from_hash;    // of the token before
  std::string caller;       // keyed hash; empty: nobody
  std::string sealed_next;  // the secret of the new one
  std::uint32_t repeats = 0;
  TimePoint reuse_told_at;  // when the use of an older token was last written down
};

struct Session {
  std::string token_hash;  // SHA-256 of the secret part: 256 random bits need no slow hash
  std::string id;          // public, 8 bytes
  TimePoint created_at;
  TimePoint expires_at;  // whatever it is used for
  std::string purpose;
  std::string user_id;
  std::string device;      // as who opened it called the device; may be empty
  TimePoint last_used_at;  // or up to touch_after() before that; zero: not known
  Rotation rotation;
};

struct SessionsState {
  std::vector<Session> sessions;  // oldest first
};

// How old the time of the last use may get before it is written anew: a session that is asked for
// all the time is written once in this time, and only read otherwise.
Millis touch_after(Seconds idle);

// When a session ends that is not used any more: `idle` after its last use at the earliest and
// touch_after(idle) later at the latest, or when it ends anyway.
TimePoint idle_end(const Session& session, Seconds idle);

bool is_live(const Session& session, Seconds idle, TimePoint now);

// Notes that the session is used now, if that is due. Whether it was. A session of a later time
// than now, because the clock has stepped back, has its lifetime from now on and no more.
bool touch(Session& session, Seconds idle, TimePoint now);

struct SessionRules {
  Seconds idle;
  std::uint32_t max_sessions;
};

// Adds a session; drops those that have ended, and the oldest beyond the bound: how many of those.
std::size_t open_session(SessionsState& state, Session session, const SessionRules& rules,
                         TimePoint now);

// The live session of that token hash, or null.
Session* find_session(SessionsState& state, std::string_view token_hash, Seconds idle,
                      TimePoint now);

// The live session of that id, or null.
Session* find_session_by_id(SessionsState& state, std::string_view id, Seconds idle, TimePoint now);

// Takes one of the sessions out: what it was.
Session end_session(SessionsState& state, const Session* session);

// When a store may forget the record.
TimePoint garbage_at(const SessionsState& state, TimePoint now);

std::string encode(const SessionsState& state);
template <>
Result<SessionsState> decode(std::string_view bytes);

}  // namespace otpd::otp
