#include "otp/issuer.h"

#include <utility>

#include "crypto/primitives.h"
#include "crypto/seal.h"
#include "otp/code.h"
#include "otp/friction.h"
#include "otp/issuer_work.h"
#include "otp/payload.h"
#include "otp/update.h"

namespace otpd::otp {

namespace {

// A plan that changed while its code was hashed is made anew. Each time another send to the same
// recipient went first, so its limits end this soon.
constexpr int k_max_plans = 8;

// Loads and decodes a recipient for planning; `record` keeps what update() needs as its hint.
Result<RecipientState> decode_recipient(const Record& record) {
  if (record.version == 0) return RecipientState{};
  return decode<RecipientState>(record.bytes);
}

// The recipient's limit as the plan leaves it.
LimitVerdict verdict_of(const SendPlan& plan) {
  const auto* first = std::get_if<FirstCode>(&plan);
  return first != nullptr ? first->verdict : std::get<FurtherCode>(plan).verdict;
}

// A purpose's policy as it is for a test recipient: one code, of its own length, and no message
// that a link could be in.
Policy fixed_code_policy(Policy policy, const TestRecipient& test) {
  policy.digits = static_cast<std::uint32_t>(test.code.size());
  policy.resend = Resend::new_code;
  policy.live_codes = 1;
  policy.has_link = false;
  return policy;
}

}  // namespace

// Whether the send ended without anything being written that counts as one.
bool is_refusal(const Result<SendOutcome>& outcome) {
  return outcome ? !std::holds_alternative<Sent>(*outcome)
                 : outcome.error().kind == Failure::overloaded;
}

Issuer::Issuer(Services services, const Rules& rules, const Deliverability& routes,
               CaptchaJudge* judge)
    : services_(services),
      rules_(rules),
      routes_(routes),
      captchas_(services, rules, judge),
      caps_(services, rules) {}

Task<Result<SendOutcome>> Issuer::send(SendRequest request) {
  const TestRecipient* test =
      find_test_recipient(rules_.test_recipients, request.recipient, services_.clock.now());
  const std::string_view index = services_.keys.index_key();
  const std::string hash =
      keyed_hash(index, "recipient", rules_.application, request.recipient.identity.reveal());
  const EventSource source{
      hash, request.user_id, request.client_ip, request.recipient.country, request.purpose, {}};
  Work work{request,
            rules_.policies.at(request.purpose),
            hash,
            context_hash(index, request.context),
            services_.random.bytes(k_unique_bytes),
            EventWriter(services_.random, source),
            {},
            {},
            ip_hash(index, rules_.application, request.client_ip),
            0,
            {},
            test,
            {},
            {},
            {},
            {},
            {}};
  if (test == nullptr && request.recipient.kind == Recipient::Kind::phone) {
    work.block =
        hash_of(block_key(index, rules_.application, block_of(rules_.caps, request.recipient)));
  }
  if (test != nullptr) {
    work.policy = fixed_code_policy(work.policy, *test);
  } else if (const auto reason = refusal(rules_.destinations, request.recipient); !reason.empty()) {
    if (!rules_.destinations_shadow) co_return co_await refuse(work, reason);
    work.shadow_refusal = reason;
  }
  // Before anything is written: who cannot serve refuses without having changed anything.
  const auto blocked = routes_.unavailable_for(request.channel, request.recipient.address.reveal());
  if (test == nullptr && blocked) co_return Undeliverable{*blocked};
  auto ticket = services_.hashes.reserve();
  if (!ticket) co_return std::unexpected(ticket.error());
  if (request.idempotency_key.empty()) {
    co_return co_await admit_within_limits(work, std::move(*ticket));
  }
  co_return co_await send_under_key(work, std::move(*ticket));
}

Task<Result<SendOutcome>> Issuer::send_under_key(Work& work, crypto::HashPool::Ticket ticket) {
  const SendRequest& request = work.request;
  const std::string_view index = services_.keys.index_key();
  // Whoever has no API key is known by the address: two of them may choose the same key.
  const std::string& caller = request.caller.empty() ? work.ip_hash : request.caller;
  const Key key = idempotency_key(
      keyed_hash(index, "idempotency " + caller, rules_.application, request.idempotency_key));
  const std::string fingerprint = crypto::hmac_sha256_parts(
      index, {"request", work.recipient_hash, request.channel, request.purpose, request.user_id,
              request.locale, work.bound_to});
  const Seconds ttl = rules_.limits.idempotency_ttl;

  const auto claimed = co_await update<IdempotencyState, ClaimOutcome>(
      services_.store, services_.clock, key, [&](IdempotencyState& state, TimePoint now) {
        const ClaimOutcome outcome = claim(state, fingerprint, work.admission_id, ttl, now);
        return Decision<ClaimOutcome>{.out = outcome,
                                      .changed = std::holds_alternative<Claimed>(outcome),
                                      .expires_at = now + ttl};
      });
  if (!claimed) co_return std::unexpected(claimed.error());
  if (const auto* replay = std::get_if<Replay>(&*claimed)) {
    co_return co_await answer_again(work, replay->answer);
  }
  if (std::holds_alternative<KeyReused>(*claimed)) co_return KeyReused{};
  if (std::holds_alternative<InProgress>(*claimed)) co_return InProgress{};
  work.admission_id = std::get<Claimed>(*claimed).admission_id;

  auto outcome = co_await admit_within_limits(work, std::move(ticket));
  const Sent* sent = outcome ? std::get_if<Sent>(&*outcome) : nullptr;
  // The answer is remembered; a refusal is not, so it gives the key back. After any other failure
  // the send may have been written: the key keeps its admission, so that a retry finds it.
  const bool refused = is_refusal(outcome);
  const auto ended = co_await update<IdempotencyState, bool>(
      services_.store, services_.clock, key, [&](IdempotencyState& state, TimePoint) {
        if (state.admission_id != work.admission_id || state.answer) {
          return Decision<bool>{.out = false};
        }
        if (sent != nullptr) {
          state.answer = sent->answer;
        } else {
          release(state);
        }
        return Decision<bool>{
            .out = true, .changed = true, .erase = refused, .expires_at = state.claimed_at + ttl};
      });
  if (!ended && sent != nullptr) co_return std::unexpected(ended.error());
  co_return outcome;
}

Task<Result<SendOutcome>> Issuer::refuse(const Work& work, std::string_view reason) {
  Effects effects;
  effects.events.push_back(
      work.events.make(audit::event_type::k_not_allowed, {}, services_.clock.now(), reason));
  const auto written = co_await services_.store.append(std::move(effects));
  if (!written) co_return std::unexpected(written.error());
  co_return NotAllowed{reason};
}

// The remembered answer, with the recipient's limit as it stands now.
Task<Result<SendOutcome>> Issuer::answer_again(Work& work, Accepted answer) {
  const auto loaded = co_await services_.store.load(recipient_key(work.recipient_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  auto state = decode_recipient(*loaded);
  if (!state) co_return std::unexpected(state.error());
  const Limit& rule = rules_.limits.recipient_sends;
  LimitVerdict verdict = check_limit(state->sends, rule, services_.clock.now());
  if (verdict.allowed) ++verdict.remaining;  // nothing is charged for a repeat
  co_return Sent{std::move(answer), rule, verdict};
}

// Redeems what came along; the refusal if that is not enough.
Task<Result<std::optional<SendOutcome>>> Issuer::take_captcha(Work& work, std::uint32_t level) {
  using Refusal = std::optional<SendOutcome>;
  const CaptchaSubject subject{work.request.purpose, work.recipient_hash, work.ip_hash};
  std::optional<std::string_view> reason = "missing";
  if (work.captcha) {
    reason = "easy";  // sends that were faster have raised the level
  } else if (work.request.captcha || !work.request.captcha_token.empty()) {
    const auto answer = work.request.captcha
                            ? co_await captchas_.redeem(*work.request.captcha, subject, level,
                                                        work.admission_id, work.captcha)
                            : co_await captchas_.redeem_hosted(work.request.captcha_token, subject,
                                                               work.admission_id, work.captcha);
    if (!answer) co_return std::unexpected(answer.error());
    reason = *answer;
  }
  if (!reason) co_return Refusal();

  Effects effects;
  effects.events.push_back(
      work.events.make(audit::event_type::k_captcha_required, {}, services_.clock.now(), *reason));
  const auto written = co_await services_.store.append(std::move(effects));
  if (!written) co_return std::unexpected(written.error());
  const bool is_away = *reason == k_captcha_vendor_away && !rules_.captcha.altcha_when_away;
  if (is_away || *reason == k_captcha_other_site) {
    co_return fail(Failure::unavailable, "the captcha's vendor does not answer for our site");
  }
  co_return Refusal(ask_for_captcha(work, level, *reason));
}

CaptchaRequired Issuer::ask_for_captcha(const Work& work, std::uint32_t level,
                                        std::string_view reason) {
  if (rules_.captcha.kind != CaptchaKind::altcha && reason != k_captcha_vendor_away) {
    return {captchas_.hosted_challenge(work.request.purpose), reason};
  }
  // The request that brings the answer is one more of its address.
  const auto then = captcha_level(rules_.limits.friction, 0, work.ip_sends + 1, work.pressure);
  const CaptchaSubject subject{work.request.purpose, work.recipient_hash, work.ip_hash};
  return {captchas_.challenge(subject, std::max(level, then.value_or(0))), reason};
}

Task<Result<SendOutcome>> Issuer::send_once(Work& work, crypto::HashPool::Ticket first_ticket) {
  std::optional<crypto::HashPool::Ticket> ticket(std::move(first_ticket));
  const Limit& rule = rules_.limits.recipient_sends;
  for (int tries = 0; tries < k_max_plans; ++tries) {
    if (!ticket) {
      auto another = services_.hashes.reserve();
      if (!another) co_return std::unexpected(another.error());
      ticket.emplace(std::move(*another));
    }
    auto loaded = co_await services_.store.load(recipient_key(work.recipient_hash));
    if (!loaded) co_return std::unexpected(loaded.error());
    auto state = decode_recipient(*loaded);
    if (!state) co_return std::unexpected(state.error());

    const TimePoint now = services_.clock.now();
    expire(*state, now);
    SendPlan plan = plan_send(*state, work.question(rules_.limits), now);
    if (const auto* asked = std::get_if<CaptchaNeeded>(&plan)) {
      auto refusal = co_await take_captcha(work, asked->level);
      if (!refusal) co_return std::unexpected(refusal.error());
      if (*refusal) co_return std::move(**refusal);
      plan = plan_send(*state, work.question(rules_.limits), now);
    }
    if (const auto* limited = std::get_if<SendLimited>(&plan)) {
      Effects effects;
      effects.events.push_back(
          work.events.make(audit::event_type::k_limited, {}, now, limited->limit));
      auto written = co_await services_.store.append(std::move(effects));
      if (!written) co_return std::unexpected(written.error());
      co_return RateLimited{limited->limit, rule, limited->verdict};
    }
    std::optional<Admission> admission;
    LimitVerdict verdict;
    if (const auto* before = std::get_if<AlreadyAdmitted>(&plan)) {
      admission = before->admission;
    } else {
      auto refusal = co_await charge_caps(work);
      if (!refusal) co_return std::unexpected(refusal.error());
      if (*refusal) co_return std::move(**refusal);
      verdict = verdict_of(plan);
      crypto::HashPool::Ticket one_use = std::move(*ticket);
      ticket.reset();
      auto admitted = co_await admit_new_code(work, std::move(*loaded), plan, std::move(one_use));
      if (!admitted) co_return std::unexpected(admitted.error());
      admission = std::move(*admitted);
    }
    if (!admission) continue;  // another send went first: plan anew
    co_return Sent{{{work.recipient_hash, admission->verification_id},
                    admission->channel,
                    admission->expires_in,
                    admission->attempts_remaining,
                    admission->resend_after},
                   rule,
                   verdict,
                   work.charged.value_or(0)};
  }
  co_return fail(Failure::overloaded, "too many sends to one recipient at once");
}

}  // namespace otpd::otp
