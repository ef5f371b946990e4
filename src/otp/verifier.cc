#include "otp/verifier.h"

#include <utility>

#include "base/uuid.h"
#include "otp/code.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

// Settles on the recipient's record: the state, and the audit line that tells it, in one step.
template <class Rule>
Task<Result<Settlement>> settle_record(const Services& services, std::string recipient_hash,
                                       const EventWriter& events, Rule rule) {
  co_return co_await update<RecipientState, Settlement>(
      services.store, services.clock, recipient_key(recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Settlement> decision{.out = Gone{}};
        auto& lines = decision.effects.events;
        lines = events.expire(state, now);
        decision.out = rule(state, now);
        const auto tell = [&](std::string_view what, const std::string& unique) {
          lines.push_back(events.make_of(*find_verification(state, unique), what, now));
        };
        if (const auto* yes = std::get_if<Approved>(&decision.out)) {
          tell(type::k_verify_success, yes->verification_id);
        } else if (const auto* wrong = std::get_if<Wrong>(&decision.out)) {
          tell(type::k_verify_fail, wrong->verification_id);
          if (wrong->poisoned) tell(type::k_exhausted, wrong->verification_id);
        }
        decision.changed = !lines.empty();
        decision.expires_at = garbage_at(state, now);
        return decision;
      });
}

}  // namespace

Verifier::Verifier(Services services, const Rules& rules, Sessions& sessions)
    : services_(services), rules_(rules), sessions_(sessions) {}

Task<Result<VerifyOutcome>> Verifier::verify(VerifyRequest request) {
  auto ticket = services_.hashes.reserve();
  if (!ticket) co_return std::unexpected(ticket.error());

  const std::string recipient_hash =
      keyed_hash(services_.keys.index_key(), "recipient", rules_.application,
                 request.recipient.identity.reveal());
  const EventWriter events(
      services_.random,
      {recipient_hash, {}, request.client_ip, request.recipient.country, request.purpose, {}});
  const auto reserved = co_await reserve_attempt(request, recipient_hash, events);
  if (!reserved) co_return std::unexpected(reserved.error());
  if (const auto* exhausted = std::get_if<Exhausted>(&*reserved)) co_return *exhausted;
  if (std::holds_alternative<Gone>(*reserved)) co_return Gone{};
  if (const auto* bad = std::get_if<BadCode>(&*reserved)) co_return *bad;
  if (const auto* limited = std::get_if<GuessesLimited>(&*reserved)) {
    co_return RateLimited{"guesses", rules_.limits.recipient_guesses, limited->verdict};
  }
  const Reserved& attempt = std::get<Reserved>(*reserved);

  const crypto::Generation* generation = services_.keys.find(attempt.pepper_id);
  if (generation == nullptr) {
    co_return fail(Failure::internal, "a live verification's key generation was removed");
  }
  const auto digest = co_await services_.hashes.hash(
      std::move(*ticket), attempt.params,
      code_hash_input(generation->pepper.reveal(), attempt.verification_id, request.code.reveal()),
      attempt.salt);
  if (!digest) co_return std::unexpected(digest.error());

  auto settlement = co_await settle_record(
      services_, recipient_hash, events, [&](RecipientState& state, TimePoint now) {
        return settle(state, attempt.verification_id, *digest, now);
      });
  if (!settlement) co_return std::unexpected(settlement.error());
  co_return co_await finish(std::move(*settlement), recipient_hash, request.client_ip);
}

Task<Result<Reservation>> Verifier::reserve_attempt(const VerifyRequest& request,
                                                    std::string_view recipient_hash,
                                                    const EventWriter& events) {
  const std::string bound_to = context_hash(services_.keys.index_key(), request.context);
  const VerifyQuestion question{request.purpose,
                                bound_to,
                                request.verification_id,
                                request.code.size(),
                                rules_.policies.at(request.purpose).digits,
                                rules_.limits};
  co_return co_await update<RecipientState, Reservation>(
      services_.store, services_.clock, recipient_key(recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Reservation> decision{.out = Gone{}};
        decision.effects.events = events.expire(state, now);
        decision.out = reserve(state, question, now);
        decision.changed =
            std::holds_alternative<Reserved>(decision.out) || !decision.effects.events.empty();
        if (std::holds_alternative<GuessesLimited>(decision.out)) {
          decision.effects.events.push_back(events.make(type::k_limited, {}, now, "guesses"));
        }
        decision.expires_at = garbage_at(state, now);
        return decision;
      });
}

Task<Result<VerifyOutcome>> Verifier::verify_link(const LinkToken& token,
                                                  std::string_view client_ip) {
  const EventWriter events(services_.random, {token.id.recipient_hash, {}, client_ip, {}, {}, {}});
  auto settlement = co_await settle_record(
      services_, token.id.recipient_hash, events, [&](RecipientState& state, TimePoint now) {
        const Verification* target = find_verification(state, token.id.unique);
        const crypto::Generation* generation =
            target == nullptr ? nullptr : services_.keys.find(target->pepper_id);
        if (generation == nullptr) return Settlement(Gone{});
        return settle_link(
            state, token.id.unique,
            link_hash(generation->pepper.reveal(), token.id.unique, token.secret.reveal()), now);
      });
  if (!settlement) co_return std::unexpected(settlement.error());
  co_return co_await finish(std::move(*settlement), token.id.recipient_hash, client_ip);
}

Task<Result<VerifyOutcome>> Verifier::finish(Settlement settlement, std::string recipient_hash,
                                             std::string_view client_ip) {
  if (std::holds_alternative<Gone>(settlement)) co_return Gone{};
  if (const auto* wrong = std::get_if<Wrong>(&settlement)) {
    co_return WrongCode{wrong->attempts_remaining};
  }
  const Approved& yes = std::get<Approved>(settlement);
  Verified verified{.id = {recipient_hash, yes.verification_id},
                    .user_id = yes.user_id,
                    .session = {},
                    .lane = yes.lane,
                    .country = yes.country};
  if (verified.user_id.empty()) {
    // Always the same for one recipient, so that it can be logged out everywhere.
    verified.user_id = uuid_v8(
        keyed_hash(services_.keys.index_key(), "derived user", rules_.application, recipient_hash));
  }
  if (yes.opens_session) {
    auto session = co_await sessions_.open(verified.user_id, yes.purpose, client_ip);
    if (!session) co_return std::unexpected(session.error());
    verified.session = std::move(session->token);
    verified.session_expires_in = session->expires_in;
  }
  co_return verified;
}

}  // namespace otpd::otp
