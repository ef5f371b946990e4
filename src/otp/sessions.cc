#include "otp/sessions.h"

#include "crypto/primitives.h"
#include "otp/ids.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

constexpr std::size_t k_session_id_bytes = 8;

// How often, and how long apart, a session that is just being opened is looked for.
constexpr int k_looks = 10;
constexpr Millis k_between_looks{20};

Decision<std::size_t> written(const SessionsState& state, std::size_t out, TimePoint now) {
  return {.out = out,
          .changed = true,
          .erase = state.sessions.empty(),
          .expires_at = garbage_at(state, now)};
}

}  // namespace

Sessions::Sessions(Services services, const Rules& rules) : services_(services), rules_(rules) {}

std::string Sessions::user_hash(std::string_view user_id) const {
  return keyed_hash(services_.keys.index_key(), "sessions", rules_.application, user_id);
}

const Session* Sessions::find_own(const SessionsState& state, std::string_view token_hash,
                                  TimePoint now) const {
  return is_own(rules_, state.application) ? find_session(state, token_hash, now) : nullptr;
}

Task<Result<OpenedSession>> Sessions::open(std::string_view user_id, std::string_view purpose,
                                           std::string_view client_ip, Secret secret) {
  if (secret.empty()) secret = Secret(services_.random.bytes(k_session_secret_bytes));
  const SessionToken token{user_hash(user_id), std::move(secret)};
  const std::string token_hash = crypto::sha256(token.secret.reveal());
  const std::string id = services_.random.bytes(k_session_id_bytes);
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, purpose, {}});
  const Key key = sessions_key(token.user_hash);
  auto hint = probably_none(services_.store, key);
  const auto opened = co_await update<SessionsState, std::size_t>(
      services_.store, services_.clock, key,
      [&](SessionsState& state, TimePoint now) {
        const Session session{
            token_hash,          id, now, now + rules_.session_lifetime, std::string(purpose),
            std::string(user_id)};
        state.application = rules_.application;
        const std::size_t ended = open_session(state, session, rules_.sessions_per_user, now);
        auto decision = written(state, 1, now);
        for (std::size_t i = 0; i < ended; ++i) {
          decision.effects.events.push_back(
              events.make(type::k_session_revoked, {}, now, "too many"));
        }
        decision.effects.events.push_back(events.make(type::k_session_opened, {}, now));
        return decision;
      },
      std::move(hint));
  if (!opened) co_return std::unexpected(opened.error());
  co_return OpenedSession{token.text(), rules_.session_lifetime};
}

Task<Result<std::optional<OpenedSession>>> Sessions::reopen(std::string_view user_id,
                                                            Secret secret) {
  const SessionToken token{user_hash(user_id), std::move(secret)};
  for (int look = 0; look < k_looks; ++look) {
    if (look > 0) co_await sleep_for(k_between_looks);
    const auto found = co_await introspect(token);
    if (!found) co_return std::unexpected(found.error());
    if (*found)
      co_return OpenedSession{
          token.text(), std::chrono::floor<Seconds>((*found)->expires_at - (*found)->created_at)};
  }
  co_return std::nullopt;
}

Task<Result<std::optional<Session>>> Sessions::introspect(const SessionToken& token) {
  const auto loaded = co_await services_.store.load(sessions_key(token.user_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return std::nullopt;
  const auto state = decode<SessionsState>(loaded->bytes);
  if (!state) co_return std::unexpected(state.error());
  const Session* found =
      find_own(*state, crypto::sha256(token.secret.reveal()), services_.clock.now());
  if (found == nullptr) co_return std::nullopt;
  co_return *found;
}

Task<Result<void>> Sessions::revoke(const SessionToken& token, std::string_view client_ip) {
  const std::string token_hash = crypto::sha256(token.secret.reveal());
  const auto revoked = co_await update<SessionsState, std::size_t>(
      services_.store, services_.clock, sessions_key(token.user_hash),
      [&](SessionsState& state, TimePoint now) {
        if (find_own(state, token_hash, now) == nullptr) return Decision<std::size_t>{.out = 0};
        const auto session = revoke_session(state, token_hash, now);
        auto decision = written(state, 1, now);
        const EventWriter events(services_.random,
                                 {{}, session->user_id, client_ip, {}, session->purpose, {}});
        decision.effects.events.push_back(events.make(type::k_session_revoked, {}, now, "token"));
        return decision;
      });
  if (!revoked) co_return std::unexpected(revoked.error());
  co_return Result<void>{};
}

Task<Result<std::size_t>> Sessions::log_out(std::string_view user_id, std::string_view client_ip) {
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  co_return co_await update<SessionsState, std::size_t>(
      services_.store, services_.clock, sessions_key(user_hash(user_id)),
      [&](SessionsState& state, TimePoint now) {
        std::size_t live = 0;
        for (const Session& session : state.sessions) live += now < session.expires_at ? 1 : 0;
        if (state.sessions.empty()) return Decision<std::size_t>{.out = 0};
        state.sessions.clear();
        auto decision = written(state, live, now);
        for (std::size_t i = 0; i < live; ++i) {
          decision.effects.events.push_back(
              events.make(type::k_session_revoked, {}, now, "everywhere"));
        }
        return decision;
      });
}

Task<Result<std::vector<Session>>> Sessions::list(std::string_view user_id) {
  const auto loaded = co_await services_.store.load(sessions_key(user_hash(user_id)));
  if (!loaded) co_return std::unexpected(loaded.error());
  std::vector<Session> live;
  if (loaded->version == 0) co_return live;
  auto state = decode<SessionsState>(loaded->bytes);
  if (!state) co_return std::unexpected(state.error());
  const TimePoint now = services_.clock.now();
  for (Session& session : state->sessions) {
    if (now < session.expires_at) live.push_back(std::move(session));
  }
  co_return live;
}

}  // namespace otpd::otp
