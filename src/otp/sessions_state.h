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

struct Session {
  std::string token_hash;  // SHA-256 of the secret part: 256 random bits need no slow hash
  std::string id;          // public, 8 bytes
  TimePoint created_at;
  TimePoint expires_at;
  std::string purpose;
  std::string user_id;
};

struct SessionsState {
  std::vector<Session> sessions;  // oldest first
  std::string application;        // whose user it is (is_own in policy.h)
};

// Adds a session; drops expired ones, and the oldest beyond `max_sessions`: how many of those.
std::size_t open_session(SessionsState& state, Session session, std::uint32_t max_sessions,
                         TimePoint now);

// The live session of that token hash, or null.
const Session* find_session(const SessionsState& state, std::string_view token_hash, TimePoint now);

// Ends the live session of that token hash; what it was, or nothing if there was none.
std::optional<Session> revoke_session(SessionsState& state, std::string_view token_hash,
                                      TimePoint now);

// When a store may forget the record.
TimePoint garbage_at(const SessionsState& state, TimePoint now);

std::string encode(const SessionsState& state);
template <>
Result<SessionsState> decode(std::string_view bytes);

}  // namespace otpd::otp
