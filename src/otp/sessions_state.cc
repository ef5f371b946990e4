#include "otp/sessions_state.h"

#include <algorithm>

#include "crypto/primitives.h"

namespace otpd::otp {

std::size_t open_session(SessionsState& state, Session session, std::uint32_t max_sessions,
                         TimePoint now) {
  std::erase_if(state.sessions, [&](const Session& s) { return s.expires_at <= now; });
  state.sessions.push_back(std::move(session));
  const std::size_t size = state.sessions.size();
  const std::size_t beyond = size - std::min<std::size_t>(size, max_sessions);
  state.sessions.erase(state.sessions.begin(),
                       state.sessions.begin() + static_cast<std::ptrdiff_t>(beyond));
  return beyond;
}

const Session* find_session(const SessionsState& state, std::string_view token_hash,
                            TimePoint now) {
  const Session* found = nullptr;
  for (const Session& session : state.sessions) {
    if (crypto::equal_constant_time(session.token_hash, token_hash)) found = &session;
  }
  return found != nullptr && now < found->expires_at ? found : nullptr;
}

std::optional<Session> revoke_session(SessionsState& state, std::string_view token_hash,
                                      TimePoint now) {
  const auto found = std::ranges::find_if(state.sessions, [&](const Session& s) {
    return crypto::equal_constant_time(s.token_hash, token_hash);
  });
  if (found == state.sessions.end() || found->expires_at <= now) return std::nullopt;
  Session session = std::move(*found);
  state.sessions.erase(found);
  return session;
}

TimePoint garbage_at(const SessionsState& state, TimePoint now) {
  TimePoint end = now;
  for (const Session& session : state.sessions) end = std::max(end, session.expires_at);
  return end;
}

}  // namespace otpd::otp
