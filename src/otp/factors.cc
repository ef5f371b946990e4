#include "otp/factors.h"

#include <algorithm>
#include <utility>

#include "crypto/seal.h"
#include "otp/code.h"
#include "otp/keys.h"
#include "otp/otpauth.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

// A secret is as long as what its digest makes (RFC 6238 section 5.1).
std::size_t secret_bytes(crypto::Digest digest) {
  if (digest == crypto::Digest::sha256) return 32;
  return digest == crypto::Digest::sha512 ? 64 : 20;
}

// What a sealed secret is bound to: it opens for no other user or factor.
std::string seal_context(std::string_view user, std::string_view factor_id) {
  return "factor " + std::string(user) + std::string(factor_id);
}

template <class Out>
Decision<Out> factors_written(const FactorsState& state, Out out, TimePoint now) {
  return {.out = std::move(out),
          .changed = true,
          .erase = is_empty(state),
          .expires_at = garbage_at(state, now)};
}

// Nothing if the guess looks like codes of that factor.
std::optional<NotACode> refuse_form(const Factor& factor, const FactorGuess& guess) {
  const bool takes_two = factor.params.type == OathType::hotp;
  const std::uint32_t digits = factor.params.digits;
  const bool two = !guess.following_code.empty();
  if (is_code(guess.code.reveal(), digits) &&
      (!two || (takes_two && is_code(guess.following_code.reveal(), digits)))) {
    return std::nullopt;
  }
  return NotACode{digits, takes_two};
}

std::vector<audit::Event> tell(const EventWriter& events, const CodeVerdict& verdict,
                               std::string_view factor_id, TimePoint now) {
  const std::string id = factor_id_text(factor_id);
  if (std::holds_alternative<FactorClosed>(verdict)) {
    return {events.make(type::k_limited, {}, now, "factor")};
  }
  if (const auto* yes = std::get_if<CodeAccepted>(&verdict)) {
    return {events.make(yes->confirmed ? type::k_factor_confirmed : type::k_factor_verify_success,
                        {}, now, id)};
  }
  std::vector<audit::Event> lines = {events.make(type::k_factor_verify_fail, {}, now, id)};
  if (std::get<CodeRefused>(verdict).closed_for > Millis(0)) {
    lines.push_back(events.make(type::k_factor_locked, {}, now, id));
  }
  return lines;
}

}  // namespace

Factors::Factors(Services services, const Rules& rules) : services_(services), rules_(rules) {}

std::string Factors::user_hash(std::string_view user_id) const {
  return keyed_hash(services_.keys.index_key(), "factors", rules_.application, user_id);
}

Task<Result<EnrolOutcome>> Factors::enrol(EnrolRequest request) {
  const std::string user = user_hash(request.user_id);
  const FactorRules& rules = rules_.factors;
  Enrolled enrolled{.factor_id = services_.random.bytes(k_factor_id_bytes)};
  Factor factor{.id = enrolled.factor_id, .params = request.params, .name = request.name};
  factor.imported = !request.secret.empty();
  factor.next = request.counter;
  enrolled.secret = factor.imported
                        ? std::move(request.secret)
                        : Secret(services_.random.bytes(secret_bytes(request.params.digest)));
  enrolled.expires_in = factor.imported ? Seconds(0) : rules.enrolment_lifetime;
  enrolled.uri = otpauth_uri(request.params, enrolled.secret.reveal(),
                             {request.issuer.empty() ? rules.issuer : request.issuer,
                              request.account.empty() ? request.user_id : request.account},
                             request.counter);
  factor.sealed_secret = crypto::seal(services_.keys, services_.random, enrolled.secret.reveal(),
                                      seal_context(user, factor.id));
  const EventWriter events(services_.random, {{}, request.user_id, request.client_ip, {}, {}, {}});
  const auto added = co_await update<FactorsState, bool>(
      services_.store, services_.clock, factors_key(user), [&](FactorsState& state, TimePoint now) {
        drop_unconfirmed(state, rules, now);
        factor.created_at = now;
        if (!add_factor(state, factor, rules)) return Decision<bool>{.out = false};
        auto decision = factors_written(state, true, now);
        decision.effects.events.push_back(
            events.make(type::k_factor_enrolled, {}, now, factor_id_text(factor.id)));
        return decision;
      });
  if (!added) co_return std::unexpected(added.error());
  if (!*added) co_return TooManyFactors{};
  co_return std::move(enrolled);
}

Task<Result<FactorOutcome>> Factors::confirm(FactorGuess guess) {
  return check(std::move(guess), Need::any);
}

Task<Result<FactorOutcome>> Factors::verify(FactorGuess guess) {
  return check(std::move(guess), Need::usable);
}

Task<Result<FactorOutcome>> Factors::check(FactorGuess guess, Need need) {
  using Answer = Result<FactorOutcome>;
  const std::string user = user_hash(guess.user_id);
  const std::string context = seal_context(user, guess.factor_id);
  const EventWriter events(services_.random, {{}, guess.user_id, guess.client_ip, {}, {}, {}});
  auto answer = co_await update<FactorsState, Answer>(
      services_.store, services_.clock, factors_key(user),
      [&](FactorsState& state, TimePoint now) -> Decision<Answer> {
        drop_unconfirmed(state, rules_.factors, now);
        Factor* const factor = find_factor(state, guess.factor_id);
        if (factor == nullptr ||
            (need == Need::usable && !factor->is_confirmed() && !factor->imported)) {
          return {.out = NoSuchFactor{}};
        }
        if (const auto bad = refuse_form(*factor, guess)) return {.out = *bad};
        const auto secret = crypto::open(services_.keys, factor->sealed_secret, context);
        if (!secret) return {.out = std::unexpected(secret.error())};
        const WrongCodes before = factor->wrong;
        const CodeVerdict verdict =
            check_code(*factor, secret->reveal(),
                       {guess.code.reveal(), guess.following_code.reveal()}, rules_.factors, now);
        const bool accepted = std::holds_alternative<CodeAccepted>(verdict);
        if (accepted && !crypto::is_sealed_by_active(services_.keys, factor->sealed_secret)) {
          factor->sealed_secret =
              crypto::seal(services_.keys, services_.random, secret->reveal(), context);
        }
        auto out = std::visit([](auto one) { return FactorOutcome(one); }, verdict);
        auto decision = factors_written(state, Answer(std::move(out)), now);
        decision.changed = accepted || factor->wrong != before;
        decision.effects.events = tell(events, verdict, factor->id, now);
        return decision;
      });
  if (!answer) co_return std::unexpected(answer.error());
  co_return std::move(*answer);
}

Task<Result<bool>> Factors::remove(std::string_view user_id, std::string_view factor_id,
                                   std::string_view client_ip) {
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  co_return co_await update<FactorsState, bool>(
      services_.store, services_.clock, factors_key(user_hash(user_id)),
      [&](FactorsState& state, TimePoint now) {
        drop_unconfirmed(state, rules_.factors, now);
        if (!remove_factor(state, factor_id)) return Decision<bool>{.out = false};
        auto decision = factors_written(state, true, now);
        decision.effects.events.push_back(
            events.make(type::k_factor_removed, {}, now, factor_id_text(factor_id)));
        return decision;
      });
}

Task<Result<FactorsState>> Factors::list(std::string_view user_id) {
  const auto loaded = co_await services_.store.load(factors_key(user_hash(user_id)));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return FactorsState{};
  auto state = decode<FactorsState>(loaded->bytes);
  if (state) drop_unconfirmed(*state, rules_.factors, services_.clock.now());
  co_return state;
}

Task<Result<bool>> Factors::unlock(std::string_view user_id, std::string_view client_ip) {
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  co_return co_await update<FactorsState, bool>(
      services_.store, services_.clock, factors_key(user_hash(user_id)),
      [&](FactorsState& state, TimePoint now) {
        if (!forget_wrong_codes(state)) return Decision<bool>{.out = false};
        auto decision = factors_written(state, true, now);
        decision.effects.events.push_back(events.make(type::k_factor_unlocked, {}, now));
        return decision;
      });
}

}  // namespace otpd::otp
