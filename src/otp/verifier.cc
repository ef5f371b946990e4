#include "otp/verifier.h"

#include <utility>

#include "base/uuid.h"
#include "crypto/seal.h"
#include "otp/code.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

bool is_change(const Reservation& reservation) {
  const auto* gone = std::get_if<Gone>(&reservation);
  return gone != nullptr ? gone->changed
                         : std::holds_alternative<Reserved>(reservation) ||
                               std::holds_alternative<Repeated>(reservation);
}

bool is_change(const Settlement& settlement) {
  const auto* gone = std::get_if<Gone>(&settlement);
  return gone == nullptr || gone->changed;
}

}  // namespace

// One verify on its way.
struct Verifier::Work {
  std::string recipient_hash;
  std::string client_ip;
  std::string device;
  Asker asker;
  EventWriter events;
  Secret session_secret;  // of the session that a yes opens

  // The audit line about a verification of this recipient.
  audit::Event line(std::string_view what, RecipientState& state, const std::string& unique,
                    TimePoint now) const {
    return events.make_of(*find_verification(state, unique), what, now);
  }
};

Verifier::Verifier(Services services, const Rules& rules, Sessions& sessions)
    : services_(services), rules_(rules), sessions_(sessions), blocks_(services, rules) {}

Task<Result<VerifyOutcome>> Verifier::verify(VerifyRequest request) {
  auto ticket = services_.hashes.reserve();
  if (!ticket) co_return std::unexpected(ticket.error());

  const std::string_view index = services_.keys.index_key();
  const std::string hash =
      keyed_hash(index, "recipient", rules_.application, request.recipient.identity.reveal());
  const EventSource source{hash, {}, request.client_ip, request.recipient.country, request.purpose,
                           {}};
  Work work{hash,
            request.client_ip,
            request.device,
            make_asker(index, rules_.application, request.caller, request.client_ip,
                       request.code.reveal(), services_.random),
            EventWriter(services_.random, source),
            Secret(services_.random.bytes(k_session_secret_bytes))};
  auto limited = co_await check_address(work, request.limited_ip);
  if (!limited) co_return std::unexpected(limited.error());
  if (*limited) co_return std::move(**limited);
  const auto reserved = co_await reserve_attempt(work, request);
  if (!reserved) co_return std::unexpected(reserved.error());
  if (const auto* again = std::get_if<Repeated>(&*reserved)) {
    co_return co_await answer_again(work, *again);
  }
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

  auto outcome = co_await settle_record(work, [&](RecipientState& state, TimePoint now) {
    return settle(state, attempt.verification_id, *digest, work.asker, now);
  });
  if (outcome && std::holds_alternative<WrongCode>(*outcome)) {
    // If that fails the code was wrong all the same; the address has one more guess.
    (void)co_await count_wrong_guess(request.limited_ip);
  }
  co_return outcome;
}

// Refused before an attempt is taken: who tries many codes does not use up other people's attempts.
// Guesses that are being hashed are not counted yet, so as many more may go through as run at once.
Task<Result<std::optional<RateLimited>>> Verifier::check_address(const Work& work,
                                                                 const std::string& ip) {
  using Refusal = std::optional<RateLimited>;
  if (ip.empty()) co_return Refusal();
  const Limit& limit = rules_.limits.ip_guesses;
  const auto loaded = co_await services_.store.load(guesses_key(ip));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return Refusal();
  auto state = decode<LogState>(loaded->bytes);
  if (!state) co_return std::unexpected(state.error());
  const TimePoint now = services_.clock.now();
  const LimitVerdict verdict = check_limit(state->times, limit, now);
  if (verdict.allowed) co_return Refusal();
  Effects effects;
  effects.events.push_back(work.events.make(type::k_limited, {}, now, "ip_guesses"));
  const auto written = co_await services_.store.append(std::move(effects));
  if (!written) co_return std::unexpected(written.error());
  co_return RateLimited{"ip_guesses", limit, verdict};
}

Task<Result<void>> Verifier::count_wrong_guess(const std::string& ip) {
  if (ip.empty()) co_return Result<void>();
  const Limit& limit = rules_.limits.ip_guesses;
  const auto counted = co_await update<LogState, bool>(
      services_.store, services_.clock, guesses_key(ip), [&](LogState& state, TimePoint now) {
        // One beyond the limit tells nothing that the limit does not.
        const bool counts = check_limit(state.times, limit, now).allowed;
        if (counts) charge(state.times, now);
        return Decision<bool>{.out = counts, .changed = counts, .expires_at = now + limit.window};
      });
  if (!counted) co_return std::unexpected(counted.error());
  co_return Result<void>();
}

Key Verifier::guesses_key(const std::string& ip) const {
  return ip_key(ip_guesses_hash(services_.keys.index_key(), rules_.application, ip));
}

Task<Result<Reservation>> Verifier::reserve_attempt(const Work& work,
                                                    const VerifyRequest& request) {
  const std::string bound_to = context_hash(services_.keys.index_key(), request.context);
  VerifyQuestion question{request.purpose,
                          bound_to,
                          request.verification_id,
                          request.code.size(),
                          rules_.policies.at(request.purpose).digits,
                          rules_.limits,
                          work.asker};
  co_return co_await update<RecipientState, Reservation>(
      services_.store, services_.clock, recipient_key(work.recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Reservation> decision{.out = Gone{}};
        auto& lines = decision.effects.events;
        auto expired = work.events.expire(state, now);
        question.test_recipient =
            find_test_recipient(rules_.test_recipients, request.recipient, now) != nullptr;
        decision.out = reserve(state, question, now);
        decision.changed = is_change(decision.out);
        // What has expired is told with whatever is written anyway, or by the sweep. A commit for
        // that alone would take time, by which it would be heard that there was a code.
        if (decision.changed) lines = std::move(expired);
        state.application = rules_.application;  // it was found by the recipient's address
        if (std::holds_alternative<GuessesLimited>(decision.out)) {
          lines.push_back(work.events.make(type::k_limited, {}, now, "guesses"));
        } else if (const auto* again = std::get_if<Repeated>(&decision.out)) {
          lines.push_back(
              work.line(type::k_verify_repeat, state, again->answer.verification_id, now));
        }
        decision.expires_at = garbage_at(state, now);
        return decision;
      });
}

Task<Result<VerifyOutcome>> Verifier::verify_link(const LinkToken& token, std::string caller,
                                                  std::string client_ip, std::string device) {
  const std::string& hash = token.id.recipient_hash;
  Work work{hash,
            client_ip,
            device,
            make_asker(services_.keys.index_key(), rules_.application, caller, client_ip,
                       token.secret.reveal(), services_.random),
            EventWriter(services_.random, {hash, {}, client_ip, {}, {}, {}}),
            Secret(services_.random.bytes(k_session_secret_bytes))};
  co_return co_await settle_record(work, [&](RecipientState& state, TimePoint now) {
    const Verification* target = find_verification(state, token.id.unique);
    const crypto::Generation* generation =
        target == nullptr ? nullptr : services_.keys.find(target->pepper_id);
    if (generation == nullptr) return Settlement(Gone{});
    return settle_link(
        state, token.id.unique,
        link_hash(generation->pepper.reveal(), token.id.unique, token.secret.reveal()), work.asker,
        now);
  });
}

// Settles on the recipient's record: the state, and the audit line that tells it, in one step.
template <class Rule>
Task<Result<VerifyOutcome>> Verifier::settle_record(Work& work, Rule rule) {
  const auto settled = co_await update<RecipientState, Settlement>(
      services_.store, services_.clock, recipient_key(work.recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Settlement> decision{.out = Gone{}};
        if (!is_own(rules_, state.application)) return decision;
        auto& lines = decision.effects.events;
        lines = work.events.expire(state, now);
        decision.out = rule(state, now);
        if (const auto* yes = std::get_if<Approved>(&decision.out)) {
          remember_answer(*find_verification(state, yes->verification_id), work.asker,
                          seal_session(work, *yes));
          lines.push_back(work.line(type::k_verify_success, state, yes->verification_id, now));
        } else if (const auto* again = std::get_if<Repeated>(&decision.out)) {
          lines.push_back(
              work.line(type::k_verify_repeat, state, again->answer.verification_id, now));
        } else if (const auto* wrong = std::get_if<Wrong>(&decision.out)) {
          lines.push_back(work.line(type::k_verify_fail, state, wrong->verification_id, now));
          if (wrong->poisoned) {
            lines.push_back(work.line(type::k_exhausted, state, wrong->verification_id, now));
          }
        }
        decision.changed = is_change(decision.out) || !lines.empty();
        decision.expires_at = garbage_at(state, now);
        return decision;
      });
  if (!settled) co_return std::unexpected(settled.error());
  if (std::holds_alternative<Gone>(*settled)) co_return Gone{};
  if (const auto* wrong = std::get_if<Wrong>(&*settled)) {
    co_return WrongCode{wrong->attempts_remaining};
  }
  if (const auto* again = std::get_if<Repeated>(&*settled)) {
    co_return co_await answer_again(work, *again);
  }
  co_return co_await open_session(work, std::get<Approved>(*settled));
}

Verified Verifier::verified(const Work& work, const Approved& yes) const {
  Verified verified{.id = {work.recipient_hash, yes.verification_id},
                    .user_id = yes.user_id,
                    .session = {},
                    .lane = yes.lane,
                    .country = yes.country};
  if (verified.user_id.empty()) {
    // Always the same for one recipient, so that it can be logged out everywhere.
    verified.user_id = uuid_v8(keyed_hash(services_.keys.index_key(), "derived user",
                                          rules_.application, work.recipient_hash));
  }
  return verified;
}

// The secret of the session that a repeat is to hear of again, as the record keeps it.
std::string Verifier::seal_session(const Work& work, const Approved& yes) const {
  if (!yes.opens_session) return {};
  return crypto::seal(services_.keys, services_.random, work.session_secret.reveal(),
                      yes.verification_id);
}

Task<Result<VerifyOutcome>> Verifier::open_session(Work& work, const Approved& yes) {
  if (!yes.block.empty()) {
    // If that fails the code was right all the same; the block has one answer less to show.
    (void)co_await blocks_.count_verified(yes.block);
  }
  Verified answer = verified(work, yes);
  if (yes.opens_session) {
    auto session = co_await sessions_.open(
        {answer.user_id, yes.purpose, work.client_ip, work.device}, std::move(work.session_secret));
    if (!session) co_return std::unexpected(session.error());
    answer.session = std::move(session->token);
    answer.session_expires_in = session->expires_in;
  }
  co_return answer;
}

Task<Result<VerifyOutcome>> Verifier::answer_again(const Work& work, const Repeated& repeated) {
  Verified answer = verified(work, repeated.answer);
  answer.repeated = true;
  if (repeated.answer.opens_session) {
    auto secret =
        crypto::open(services_.keys, repeated.sealed_session, repeated.answer.verification_id);
    if (!secret) co_return std::unexpected(secret.error());
    auto session = co_await sessions_.reopen(answer.user_id, std::move(*secret));
    if (!session) co_return std::unexpected(session.error());
    if (!*session) co_return Gone{};
    answer.session = std::move((*session)->token);
    answer.session_expires_in = (*session)->expires_in;
  }
  co_return answer;
}

}  // namespace otpd::otp
