// The issuer's codes: drawn, hashed, sealed for delivery and admitted.
#include <utility>

#include "crypto/primitives.h"
#include "crypto/seal.h"
#include "otp/code.h"
#include "otp/issuer_work.h"
#include "otp/payload.h"
#include "otp/update.h"

namespace otpd::otp {

Task<Result<std::optional<Admission>>> Issuer::admit_new_code(Work& work, Record loaded,
                                                              const SendPlan& plan,
                                                              crypto::HashPool::Ticket ticket) {
  const auto code = co_await make_code(work, plan, std::move(ticket));
  if (!code) co_return std::unexpected(code.error());
  const std::string job_id = services_.random.bytes(k_hash_bytes);
  const std::string sealed_job = seal_job(work, code->verification_id, job_id);
  const Key key = recipient_key(work.recipient_hash);

  using Out = std::optional<Admission>;
  co_return co_await update<RecipientState, Out>(
      services_.store, services_.clock, key,
      [&](RecipientState& state, TimePoint now) {
        Decision<Out> decision{.out = std::nullopt};
        decision.effects.events = work.events.expire(state, now);
        decision.out = admit(state, work.question(rules_.limits), *code, now);
        decision.changed = decision.out || !decision.effects.events.empty();
        decision.expires_at = garbage_at(state, now);
        if (decision.out) {
          state.application = rules_.application;
          const Verification& verification = *find_verification(state, code->verification_id);
          if (work.test == nullptr) {
            decision.effects.enqueue.push_back(
                {job_id, key, now, verification.expires_at, sealed_job});
          }
          if (!work.shadow_refusal.empty()) {
            decision.effects.events.push_back(work.events.make_of(
                verification, audit::event_type::k_not_allowed_shadow, now, work.shadow_refusal));
          }
          for (const std::string_view reason : work.shadow_limits) {
            decision.effects.events.push_back(work.events.make_of(
                verification, audit::event_type::k_limited_shadow, now, reason));
          }
          decision.effects.events.push_back(work.events.make_of(
              verification, audit::event_type::k_send, now, work.request.channel));
        }
        return decision;
      },
      std::move(loaded));
}

Task<Result<NewCode>> Issuer::make_code(Work& work, const SendPlan& plan,
                                        crypto::HashPool::Ticket ticket) {
  const auto* further = std::get_if<FurtherCode>(&plan);
  const bool same = work.policy.resend == Resend::same_code;
  NewCode code;
  if (further != nullptr && same && !further->sealed_code.empty()) {
    auto repeated = repeat_code(work, *further);
    if (!repeated) co_return std::unexpected(repeated.error());
    code = std::move(*repeated);
  } else {
    code.verification_id =
        further != nullptr ? further->verification_id : services_.random.bytes(k_unique_bytes);
    code.salt = further != nullptr ? further->salt : services_.random.bytes(crypto::k_salt_bytes);
    code.params = further != nullptr ? further->params : rules_.hash;
    code.pepper_id = further != nullptr ? further->pepper_id : services_.keys.active().id;
    const crypto::Generation* generation = services_.keys.find(code.pepper_id);
    if (generation == nullptr) {
      co_return fail(Failure::internal, "a live verification's key generation was removed");
    }
    const std::string_view pepper = generation->pepper.reveal();
    work.code = work.test != nullptr
                    ? work.test->code.clone()
                    : draw_code(services_.random,
                                further != nullptr ? further->digits : work.policy.digits);
    if (work.policy.has_link) {
      work.link_secret = Secret(services_.random.bytes(k_link_secret_bytes));
      code.link_hash = link_hash(pepper, code.verification_id, work.link_secret.reveal());
    }
    auto digest = co_await services_.hashes.hash(
        std::move(ticket), code.params,
        code_hash_input(pepper, code.verification_id, work.code.reveal()), code.salt);
    if (!digest) co_return std::unexpected(digest.error());
    code.digest = std::move(*digest);
    if (same) {
      std::string both = std::string(work.code.reveal()) + std::string(work.link_secret.reveal());
      code.sealed_code = crypto::seal(services_.keys, services_.random, both, code.verification_id);
      wipe(both);
    }
  }
  code.channel = work.request.channel;
  code.user_id = work.request.user_id;
  code.country = work.request.recipient.country;
  code.block = work.block;
  code.remember_admission = !work.request.idempotency_key.empty();
  co_return code;
}

// The code that the live verification holds sealed, to be delivered once more.
Result<NewCode> Issuer::repeat_code(Work& work, const FurtherCode& plan) {
  const auto opened = crypto::open(services_.keys, plan.sealed_code, plan.verification_id);
  if (!opened) return std::unexpected(opened.error());
  work.code = Secret(std::string(opened->reveal().substr(0, plan.digits)));
  work.link_secret = Secret(std::string(opened->reveal().substr(work.code.size())));
  NewCode code;
  code.verification_id = plan.verification_id;
  code.salt = plan.salt;
  code.params = plan.params;
  code.pepper_id = plan.pepper_id;
  code.sealed_code = plan.sealed_code;
  return code;
}

std::string Issuer::seal_job(const Work& work, std::string_view unique, std::string_view job_id) {
  const SendRequest& request = work.request;
  Payload payload;
  payload.verification_id = {work.recipient_hash, std::string(unique)};
  payload.channel = request.channel;
  payload.purpose = request.purpose;
  payload.locale = request.locale;
  payload.address = request.recipient.address.clone();
  payload.code = work.code.clone();
  if (!work.link_secret.empty()) {
    payload.link_token = LinkToken{payload.verification_id, work.link_secret.clone()}.text();
  }
  payload.context = request.context;
  payload.country = request.recipient.country;
  payload.user_id = request.user_id;
  payload.application = rules_.application;
  std::string plain = encode(payload);
  std::string sealed = crypto::seal(services_.keys, services_.random, plain, job_id);
  wipe(plain);
  return sealed;
}

}  // namespace otpd::otp
