// Sessions that end, and tokens that do.
#include "crypto/seal.h"
#include "otp/ids.h"
#include "otp/repeat.h"
#include "otp/sessions.h"
#include "otp/sessions_write.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;
using What = RotationOutcome::What;

// The secret of the next token: of the same family.
Secret next_secret(const Secret& secret, Random& random) {
  std::string fresh = random.bytes(k_session_secret_bytes - k_session_family_bytes);
  std::string bytes(secret.reveal().substr(0, k_session_family_bytes));
  bytes += fresh;
  wipe(fresh);
  return Secret(std::move(bytes));
}

}  // namespace

Task<Result<RotationOutcome>> Sessions::change_token(std::string_view user_hash,
                                                     const RotationQuestion& question,
                                                     std::string_view client_ip) {
  co_return co_await update<SessionsState, RotationOutcome>(
      services_.store, services_.clock, record_key(user_hash),
      [&](SessionsState& state, TimePoint now) {
        auto outcome = otp::rotate(state, question, now);
        if (outcome.what == What::none) return Decision<RotationOutcome>{.out = {}};
        auto decision = written(state, std::move(outcome), now);
        const EventWriter events = events_of(decision.out.session, client_ip);
        auto& lines = decision.effects.events;
        if (decision.out.what == What::reused) {
          lines.push_back(events.make(type::k_session_reuse, {}, now, "rotate"));
          lines.push_back(events.make(type::k_session_revoked, {}, now, "reuse"));
        } else {
          const bool again = decision.out.what == What::repeated;
          lines.push_back(events.make(type::k_session_rotated, {}, now, again ? "repeat" : ""));
        }
        return decision;
      });
}

Task<Result<std::optional<RotatedSession>>> Sessions::rotate(const SessionToken& token,
                                                             std::string_view caller,
                                                             std::string_view client_ip) {
  const TokenHashes presented = TokenHashes::of(token.secret.reveal());
  Secret secret = next_secret(token.secret, services_.random);
  const TokenHashes next = TokenHashes::of(secret.reveal());
  const std::string sealed =
      crypto::seal(services_.keys, services_.random, secret.reveal(), next.token);
  const std::string who =
      known_caller(services_.keys.index_key(), rules_.application, caller, client_ip);
  const RotationQuestion question{presented, next, sealed, who, rules_.session_idle};
  const auto outcome = co_await change_token(token.user_hash, question, client_ip);
  if (!outcome) co_return std::unexpected(outcome.error());
  if (outcome->what == What::none || outcome->what == What::reused) co_return std::nullopt;
  const Session& session = outcome->session;
  if (outcome->what == What::repeated) {
    auto told = crypto::open(services_.keys, session.rotation.sealed_next, session.token_hash);
    if (!told) co_return std::unexpected(told.error());
    secret = std::move(*told);
  }
  co_return RotatedSession{SessionToken{token.user_hash, std::move(secret)}.text(),
                           std::chrono::ceil<Seconds>(session.expires_at - services_.clock.now()),
                           session.id};
}

Task<Result<void>> Sessions::revoke(const SessionToken& token, std::string_view client_ip) {
  const TokenHashes hashes = TokenHashes::of(token.secret.reveal());
  const auto revoked = co_await update<SessionsState, bool>(
      services_.store, services_.clock, record_key(token.user_hash),
      [&](SessionsState& state, TimePoint now) {
        Session* live = find_session(state, hashes.token, rules_.session_idle, now);
        Session* older =
            live != nullptr ? nullptr : find_rotated_away(state, hashes, rules_.session_idle, now);
        if (live == nullptr && older == nullptr) return Decision<bool>{.out = false};
        const bool reused = older != nullptr && !is_just_rotated(*older, hashes, now);
        const Session ended = end_session(state, live != nullptr ? live : older);
        const EventWriter events = events_of(ended, client_ip);
        auto decision = written(state, true, now);
        auto& lines = decision.effects.events;
        if (reused) lines.push_back(events.make(type::k_session_reuse, {}, now, "revoke"));
        lines.push_back(events.make(type::k_session_revoked, {}, now, "token"));
        return decision;
      });
  if (!revoked) co_return std::unexpected(revoked.error());
  co_return Result<void>{};
}

Task<Result<bool>> Sessions::end(std::string_view user_id, std::string_view session_id,
                                 std::string_view client_ip) {
  co_return co_await update<SessionsState, bool>(
      services_.store, services_.clock, record_key(user_hash(user_id)),
      [&](SessionsState& state, TimePoint now) {
        const Session* found = find_session_by_id(state, session_id, rules_.session_idle, now);
        if (found == nullptr) return Decision<bool>{.out = false};
        const Session ended = end_session(state, found);
        auto decision = written(state, true, now);
        decision.effects.events.push_back(
            events_of(ended, client_ip).make(type::k_session_revoked, {}, now, "id"));
        return decision;
      });
}

Task<Result<std::size_t>> Sessions::log_out(std::string_view user_id, std::string_view client_ip) {
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  co_return co_await update<SessionsState, std::size_t>(
      services_.store, services_.clock, record_key(user_hash(user_id)),
      [&](SessionsState& state, TimePoint now) {
        if (state.sessions.empty()) return Decision<std::size_t>{.out = 0};
        std::size_t live = 0;
        for (const Session& session : state.sessions) {
          live += is_live(session, rules_.session_idle, now) ? 1 : 0;
        }
        state.sessions.clear();
        auto decision = written(state, live, now);
        for (std::size_t i = 0; i < live; ++i) {
          decision.effects.events.push_back(
              events.make(type::k_session_revoked, {}, now, "everywhere"));
        }
        return decision;
      });
}

}  // namespace otpd::otp
