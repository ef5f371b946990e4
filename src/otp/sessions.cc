#include "otp/sessions.h"

#include "crypto/primitives.h"
#include "otp/ids.h"
#include "otp/sessions_write.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

// How often, and how long apart, a session that is just being opened is looked for.
constexpr int k_looks = 10;
constexpr Millis k_between_looks{20};

}  // namespace

Sessions::Sessions(Services services, const Rules& rules) : services_(services), rules_(rules) {}

std::string Sessions::user_hash(std::string_view user_id) const {
  return keyed_hash(services_.keys.index_key(), "sessions", rules_.application, user_id);
}

Key Sessions::record_key(std::string_view user_hash) const {
  return sessions_key(services_.keys.index_key(), rules_.application, user_hash);
}

EventWriter Sessions::events_of(const Session& session, std::string_view client_ip) const {
  return {services_.random, {{}, session.user_id, client_ip, {}, session.purpose, {}}};
}

Task<Result<SessionsState>> Sessions::load(std::string_view user_hash) {
  const auto loaded = co_await services_.store.load(record_key(user_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return SessionsState{};
  co_return decode<SessionsState>(loaded->bytes);
}

Task<Result<OpenedSession>> Sessions::open(NewSession wanted, Secret secret) {
  if (secret.empty()) secret = Secret(services_.random.bytes(k_session_secret_bytes));
  const SessionToken token{user_hash(wanted.user_id), std::move(secret)};
  const std::string token_hash = crypto::sha256(token.secret.reveal());
  const std::string id = services_.random.bytes(k_session_id_bytes);
  const EventWriter events(services_.random,
                           {{}, wanted.user_id, wanted.client_ip, {}, wanted.purpose, {}});
  const Key key = record_key(token.user_hash);
  auto hint = probably_none(services_.store, key);
  const auto opened = co_await update<SessionsState, std::size_t>(
      services_.store, services_.clock, key,
      [&](SessionsState& state, TimePoint now) {
        const Session session{.token_hash = token_hash,
                              .id = id,
                              .created_at = now,
                              .expires_at = now + rules_.session_lifetime,
                              .purpose = std::string(wanted.purpose),
                              .user_id = std::string(wanted.user_id),
                              .device = std::string(wanted.device),
                              .last_used_at = now,
                              .rotation = {}};
        const std::size_t ended =
            open_session(state, session, {rules_.session_idle, rules_.sessions_per_user}, now);
        auto decision = written(state, std::size_t{1}, now);
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
  const std::string token_hash = crypto::sha256(token.secret.reveal());
  for (int look = 0; look < k_looks; ++look) {
    if (look > 0) co_await sleep_for(k_between_looks);
    auto state = co_await load(token.user_hash);
    if (!state) co_return std::unexpected(state.error());
    const Session* found =
        find_session(*state, token_hash, rules_.session_idle, services_.clock.now());
    if (found == nullptr) continue;
    co_return OpenedSession{token.text(),
                            std::chrono::floor<Seconds>(found->expires_at - found->created_at)};
  }
  co_return std::nullopt;
}

Task<Result<std::optional<Session>>> Sessions::introspect(const SessionToken& token,
                                                          std::string_view client_ip) {
  auto state = co_await load(token.user_hash);
  if (!state) co_return std::unexpected(state.error());
  const TokenHashes hashes = TokenHashes::of(token.secret.reveal());
  const TimePoint now = services_.clock.now();
  Session* found = find_session(*state, hashes.token, rules_.session_idle, now);
  if (found == nullptr) {
    Session* older = find_rotated_away(*state, hashes, rules_.session_idle, now);
    if (older != nullptr && tell_reuse(*older, hashes, now)) {
      co_await note_reuse(token.user_hash, hashes, client_ip);
    }
    co_return std::nullopt;
  }
  if (touch(*found, rules_.session_idle, now)) co_await note_use(token.user_hash, hashes);
  co_return std::move(*found);
}

// That it cannot be written is no reason to refuse who is logged in.
Task<void> Sessions::note_use(std::string_view user_hash, const TokenHashes& hashes) {
  (void)co_await update<SessionsState, bool>(
      services_.store, services_.clock, record_key(user_hash),
      [&](SessionsState& state, TimePoint now) {
        Session* session = find_session(state, hashes.token, rules_.session_idle, now);
        if (session == nullptr || !touch(*session, rules_.session_idle, now)) {
          return Decision<bool>{.out = false};
        }
        return written(state, true, now);
      });
}

Task<void> Sessions::note_reuse(std::string_view user_hash, const TokenHashes& hashes,
                                std::string_view client_ip) {
  (void)co_await update<SessionsState, bool>(
      services_.store, services_.clock, record_key(user_hash),
      [&](SessionsState& state, TimePoint now) {
        Session* session = find_rotated_away(state, hashes, rules_.session_idle, now);
        if (session == nullptr || !tell_reuse(*session, hashes, now)) {
          return Decision<bool>{.out = false};
        }
        auto decision = written(state, true, now);
        decision.effects.events.push_back(
            events_of(*session, client_ip).make(type::k_session_reuse, {}, now, "introspect"));
        return decision;
      });
}

Task<Result<std::vector<Session>>> Sessions::list(std::string_view user_id) {
  auto state = co_await load(user_hash(user_id));
  if (!state) co_return std::unexpected(state.error());
  const TimePoint now = services_.clock.now();
  std::erase_if(state->sessions,
                [&](const Session& s) { return !is_live(s, rules_.session_idle, now); });
  co_return std::move(state->sessions);
}

}  // namespace otpd::otp
