#include "otp/sessions_state.h"

#include <algorithm>

#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

constexpr Millis k_longest_touch{60'000};
constexpr int k_touches_in_idle = 20;

template <class Is>
Session* find_live(SessionsState& state, Is is, Seconds idle, TimePoint now) {
  Session* found = nullptr;
  for (Session& session : state.sessions) {
    if (is(session)) found = &session;
  }
  return found != nullptr && is_live(*found, idle, now) ? found : nullptr;
}

// A clock that stepped back must not lengthen a life.
void clamp_life(Session& session, TimePoint now) {
  if (session.created_at <= now) return;
  session.expires_at -= session.created_at - now;
  session.created_at = now;
}

}  // namespace

Millis touch_after(Seconds idle) {
  return std::min(k_longest_touch, Millis(idle) / k_touches_in_idle);
}

TimePoint idle_end(const Session& session, Seconds idle) {
  if (session.last_used_at == TimePoint{}) return session.expires_at;
  // It may have been used until the moment at which that would have been written.
  return std::min(session.last_used_at + touch_after(idle) + idle, session.expires_at);
}

bool is_live(const Session& session, Seconds idle, TimePoint now) {
  return now < idle_end(session, idle);
}

bool touch(Session& session, Seconds idle, TimePoint now) {
  if (std::chrono::abs(now - session.last_used_at) < touch_after(idle)) return false;
  clamp_life(session, now);
  session.last_used_at = now;
  return true;
}

std::size_t open_session(SessionsState& state, Session session, const SessionRules& rules,
                         TimePoint now) {
  std::erase_if(state.sessions, [&](const Session& s) { return !is_live(s, rules.idle, now); });
  state.sessions.push_back(std::move(session));
  const std::size_t size = state.sessions.size();
  const std::size_t beyond = size - std::min<std::size_t>(size, rules.max_sessions);
  state.sessions.erase(state.sessions.begin(),
                       state.sessions.begin() + static_cast<std::ptrdiff_t>(beyond));
  return beyond;
}

Session* find_session(SessionsState& state, std::string_view token_hash, Seconds idle,
                      TimePoint now) {
  const auto has_token = [&](const Session& session) {
    return crypto::equal_constant_time(session.token_hash, token_hash);
  };
  return find_live(state, has_token, idle, now);
}

Session* find_session_by_id(SessionsState& state, std::string_view id, Seconds idle,
                            TimePoint now) {
  return find_live(state, [&](const Session& session) { return session.id == id; }, idle, now);
}

Session end_session(SessionsState& state, const Session* session) {
  const auto at = state.sessions.begin() + (session - state.sessions.data());
  Session ended = std::move(*at);
  state.sessions.erase(at);
  return ended;
}

TimePoint garbage_at(const SessionsState& state, TimePoint now) {
  TimePoint end = now;
  for (const Session& session : state.sessions) end = std::max(end, session.expires_at);
  return end;
}

}  // namespace otpd::otp
