// The stored form of the states: protobuf, see records.proto.
#include "otp/captcha.h"
#include "otp/idempotency.h"
#include "otp/payload.h"
#include "otp/sessions_state.h"
#include "otp/state.h"
#include "otp/webhook_state.h"
#include "records.pb.h"

namespace otpd::otp {
namespace {

std::int64_t to_ms(TimePoint time) {
  return time.time_since_epoch().count();
}
TimePoint from_ms(std::int64_t ms) {
  return TimePoint(Millis(ms));
}

// Copies repeated field `from` into vector `to`, element by element.
void read_times(const google::protobuf::RepeatedField<std::int64_t>& from, TimeLog& to) {
  to.reserve(static_cast<std::size_t>(from.size()));
  for (const std::int64_t ms : from) to.push_back(from_ms(ms));
}

template <class Message>
Result<Message> parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Failure::corrupt, "a stored " + Message::descriptor()->name() + " does not decode");
  }
  return message;
}

void write(const Verification& from, records::Verification& to) {
  to.set_id(from.id);
  to.set_purpose(from.purpose);
  to.set_context_hash(from.context_hash);
  to.set_salt(from.salt);
  to.mutable_params()->set_algorithm(static_cast<std::uint32_t>(from.params.algorithm));
  to.mutable_params()->set_memory_kib(from.params.memory_kib);
  to.mutable_params()->set_passes(from.params.passes);
  to.set_pepper_id(from.pepper_id);
  for (const CodeHash& code : from.codes) {
    auto* stored = to.add_codes();
    stored->set_digest(code.digest);
    stored->set_sent_at(to_ms(code.sent_at));
    stored->set_link_hash(code.link_hash);
  }
  to.set_digits(from.digits);
  to.set_attempts_used(from.attempts_used);
  to.set_attempts_failed(from.attempts_failed);
  to.set_attempts_max(from.attempts_max);
  to.set_created_at(to_ms(from.created_at));
  to.set_expires_at(to_ms(from.expires_at));
  to.set_last_send_at(to_ms(from.last_send_at));
  to.set_ended_at(to_ms(from.ended_at));
  to.set_state(static_cast<std::uint32_t>(from.state));
  to.set_delivery(static_cast<std::uint32_t>(from.delivery));
  to.set_delivery_error(from.delivery_error);
  to.set_delivery_at(to_ms(from.delivery_at));
  to.set_channel(from.channel);
  to.set_user_id(from.user_id);
  to.set_country(from.country);
  to.set_sealed_code(from.sealed_code);
  to.set_opens_session(from.opens_session);
  to.set_lane(from.lane);
  to.set_message_id(from.message_id);
  to.set_test_recipient(from.test_recipient);
  to.set_block(from.block);
  if (!from.charged.job_id.empty()) {
    to.mutable_charged()->set_job_id(from.charged.job_id);
    to.mutable_charged()->set_attempt(from.charged.attempt);
  }
  if (from.answered.caller.empty()) return;
  to.mutable_answered()->set_caller(from.answered.caller);
  to.mutable_answered()->set_proof(from.answered.proof);
  to.mutable_answered()->set_sealed_session(from.answered.sealed_session);
  to.mutable_answered()->set_repeats(from.answered.repeats);
  to.mutable_answered()->set_request(from.answered.request);
}

Verification read(const records::Verification& from) {
  Verification to;
  to.id = from.id();
  to.purpose = from.purpose();
  to.context_hash = from.context_hash();
  to.salt = from.salt();
  to.params = {static_cast<crypto::HashParams::Algorithm>(from.params().algorithm()),
               from.params().memory_kib(), from.params().passes()};
  to.pepper_id = from.pepper_id();
  for (const auto& code : from.codes()) {
    to.codes.push_back({code.digest(), from_ms(code.sent_at()), code.link_hash()});
  }
  to.digits = from.digits();
  to.attempts_used = from.attempts_used();
  to.attempts_failed = from.attempts_failed();
  to.attempts_max = from.attempts_max();
  to.created_at = from_ms(from.created_at());
  to.expires_at = from_ms(from.expires_at());
  to.last_send_at = from_ms(from.last_send_at());
  to.ended_at = from_ms(from.ended_at());
  to.state = static_cast<VerificationState>(from.state());
  to.delivery = static_cast<DeliveryState>(from.delivery());
  to.delivery_error = from.delivery_error();
  to.delivery_at = from_ms(from.delivery_at());
  to.channel = from.channel();
  to.user_id = from.user_id();
  to.country = from.country();
  to.sealed_code = from.sealed_code();
  to.opens_session = from.opens_session();
  to.lane = from.lane();
  to.message_id = from.message_id();
  to.charged = {from.charged().job_id(), from.charged().attempt()};
  to.test_recipient = from.test_recipient();
  to.block = from.block();
  to.answered = {from.answered().caller(), from.answered().proof(),
                 from.answered().sealed_session(), from.answered().repeats(),
                 from.answered().request()};
  return to;
}

void write(const Rotation& from, records::Rotation& to) {
  to.set_family_hash(from.family_hash);
  to.set_at(to_ms(from.at));
  to.set_from_hash(from.from_hash);
  to.set_caller(from.caller);
  to.set_sealed_next(from.sealed_next);
  to.set_repeats(from.repeats);
  to.set_reuse_told_at(to_ms(from.reuse_told_at));
}

Rotation read(const records::Rotation& from) {
  return {from.family_hash(),
          from_ms(from.at()),
          from.from_hash(),
          from.caller(),
          from.sealed_next(),
          from.repeats(),
          from_ms(from.reuse_told_at())};
}

}  // namespace

std::string encode(const RecipientState& state) {
  records::Recipient out;
  for (const TimePoint time : state.sends) out.add_sends(to_ms(time));
  for (const TimePoint time : state.guesses) out.add_guesses(to_ms(time));
  for (const Verification& v : state.verifications) write(v, *out.add_verifications());
  for (const Admission& admission : state.admissions) {
    auto* stored = out.add_admissions();
    stored->set_id(admission.id);
    stored->set_verification_id(admission.verification_id);
    stored->set_channel(admission.channel);
    stored->set_at(to_ms(admission.at));
    stored->set_expires_in_s(static_cast<std::uint32_t>(admission.expires_in.count()));
    stored->set_attempts_remaining(admission.attempts_remaining);
    stored->set_resend_after_s(static_cast<std::uint32_t>(admission.resend_after.count()));
  }
  out.set_application(state.application);
  return out.SerializeAsString();
}

template <>
Result<RecipientState> decode(std::string_view bytes) {
  const auto in = parse<records::Recipient>(bytes);
  if (!in) return std::unexpected(in.error());
  RecipientState state;
  read_times(in->sends(), state.sends);
  read_times(in->guesses(), state.guesses);
  for (const auto& v : in->verifications()) state.verifications.push_back(read(v));
  for (const auto& stored : in->admissions()) {
    state.admissions.push_back({stored.id(), stored.verification_id(), stored.channel(),
                                from_ms(stored.at()), Seconds(stored.expires_in_s()),
                                stored.attempts_remaining(), Seconds(stored.resend_after_s())});
  }
  state.application = in->application();
  return state;
}

std::string encode(const LogState& state) {
  records::Log out;
  for (const TimePoint time : state.times) out.add_times(to_ms(time));
  for (const CountryAt& seen : state.countries) {
    auto* stored = out.add_countries();
    stored->set_country(seen.country);
    stored->set_at(to_ms(seen.at));
  }
  return out.SerializeAsString();
}

template <>
Result<LogState> decode(std::string_view bytes) {
  const auto in = parse<records::Log>(bytes);
  if (!in) return std::unexpected(in.error());
  LogState state;
  read_times(in->times(), state.times);
  for (const auto& seen : in->countries()) {
    state.countries.push_back({seen.country(), from_ms(seen.at())});
  }
  return state;
}

std::string encode(const CaptchaState& state) {
  records::Captcha out;
  out.set_admission_id(state.admission_id);
  return out.SerializeAsString();
}

template <>
Result<CaptchaState> decode(std::string_view bytes) {
  auto in = parse<records::Captcha>(bytes);
  if (!in) return std::unexpected(in.error());
  return CaptchaState{std::move(*in->mutable_admission_id())};
}

std::string encode(const IdempotencyState& state) {
  records::IdempotencyClaim out;
  out.set_fingerprint(state.fingerprint);
  out.set_admission_id(state.admission_id);
  out.set_claimed_at(to_ms(state.claimed_at));
  if (state.answer) {
    out.set_answered(true);
    out.set_verification_id(state.answer->verification_id.bytes());
    out.set_channel(state.answer->channel);
    out.set_expires_in_s(static_cast<std::uint32_t>(state.answer->expires_in.count()));
    out.set_attempts_remaining(state.answer->attempts_remaining);
    out.set_resend_after_s(static_cast<std::uint32_t>(state.answer->resend_after.count()));
  }
  return out.SerializeAsString();
}

template <>
Result<IdempotencyState> decode(std::string_view bytes) {
  const auto in = parse<records::IdempotencyClaim>(bytes);
  if (!in) return std::unexpected(in.error());
  IdempotencyState state{in->fingerprint(), in->admission_id(), from_ms(in->claimed_at()), {}};
  if (in->answered()) {
    const std::string& id = in->verification_id();
    state.answer = Accepted{{id.substr(0, std::min(k_hash_bytes, id.size())),
                             id.substr(std::min(k_hash_bytes, id.size()))},
                            in->channel(),
                            Seconds(in->expires_in_s()),
                            in->attempts_remaining(),
                            Seconds(in->resend_after_s())};
  }
  return state;
}

std::string encode(const SessionsState& state) {
  records::Sessions out;
  for (const Session& session : state.sessions) {
    auto* stored = out.add_sessions();
    stored->set_token_hash(session.token_hash);
    stored->set_id(session.id);
    stored->set_created_at(to_ms(session.created_at));
    stored->set_expires_at(to_ms(session.expires_at));
    stored->set_purpose(session.purpose);
    stored->set_user_id(session.user_id);
    stored->set_device(session.device);
    stored->set_last_used_at(to_ms(session.last_used_at));
    if (!session.rotation.family_hash.empty()) write(session.rotation, *stored->mutable_rotation());
  }
  return out.SerializeAsString();
}

template <>
Result<SessionsState> decode(std::string_view bytes) {
  auto in = parse<records::Sessions>(bytes);
  if (!in) return std::unexpected(in.error());
  SessionsState state;
  state.sessions.reserve(static_cast<std::size_t>(in->sessions_size()));
  for (auto& stored : *in->mutable_sessions()) {
    state.sessions.push_back({std::move(*stored.mutable_token_hash()),
                              std::move(*stored.mutable_id()), from_ms(stored.created_at()),
                              from_ms(stored.expires_at()), std::move(*stored.mutable_purpose()),
                              std::move(*stored.mutable_user_id()),
                              std::move(*stored.mutable_device()), from_ms(stored.last_used_at()),
                              stored.has_rotation() ? read(stored.rotation()) : Rotation{}});
  }
  return state;
}

Payload Payload::clone() const {
  return {verification_id,    channel, purpose, locale,  address.clone(), code.clone(),
          link_token.clone(), context, country, user_id, replaces,        application};
}

std::string encode(const Payload& payload) {
  records::Payload out;
  out.set_verification_id(payload.verification_id.bytes());
  out.set_channel(payload.channel);
  out.set_purpose(payload.purpose);
  out.set_locale(payload.locale);
  out.set_address(std::string(payload.address.reveal()));
  out.set_code(std::string(payload.code.reveal()));
  out.set_link_token(std::string(payload.link_token.reveal()));
  out.set_amount(payload.context.amount);
  out.set_currency(payload.context.currency);
  out.set_payee(payload.context.payee);
  out.set_country(payload.country);
  out.set_user_id(payload.user_id);
  out.set_replaces(payload.replaces);
  out.set_application(payload.application);
  std::string bytes = out.SerializeAsString();
  wipe(*out.mutable_address());
  wipe(*out.mutable_code());
  wipe(*out.mutable_link_token());
  return bytes;
}

template <>
Result<Payload> decode(std::string_view bytes) {
  auto in = parse<records::Payload>(bytes);
  if (!in) return std::unexpected(in.error());
  const std::string& id = in->verification_id();
  if (id.size() != k_hash_bytes + k_unique_bytes) {
    return fail(Failure::corrupt, "a job's verification id has the wrong length");
  }
  Payload payload;
  payload.verification_id = {id.substr(0, k_hash_bytes), id.substr(k_hash_bytes)};
  payload.replaces = in->replaces();
  payload.application = in->application();
  payload.channel = in->channel();
  payload.purpose = in->purpose();
  payload.locale = in->locale();
  payload.address = Secret(std::move(*in->mutable_address()));
  payload.code = Secret(std::move(*in->mutable_code()));
  payload.link_token = Secret(std::move(*in->mutable_link_token()));
  payload.context = {in->amount(), in->currency(), in->payee()};
  payload.country = in->country();
  payload.user_id = in->user_id();
  return payload;
}

std::string encode(const WebhookPayload& payload) {
  records::WebhookPayload out;
  out.set_id(payload.id);
  out.set_body(payload.body);
  out.set_application(payload.application);
  return out.SerializeAsString();
}

template <>
Result<WebhookPayload> decode(std::string_view bytes) {
  auto in = parse<records::WebhookPayload>(bytes);
  if (!in) return std::unexpected(in.error());
  if (in->id().empty() || in->body().empty()) {
    return fail(Failure::corrupt, "a webhook without an id or a body");
  }
  return WebhookPayload{std::move(*in->mutable_id()), std::move(*in->mutable_body()),
                        std::move(*in->mutable_application())};
}

std::string encode(const WebhookEndpointState& state) {
  records::WebhookEndpoint out;
  out.set_disabled(state.disabled);
  out.set_since(to_ms(state.since));
  out.set_failing(state.failing);
  return out.SerializeAsString();
}

template <>
Result<WebhookEndpointState> decode(std::string_view bytes) {
  const auto in = parse<records::WebhookEndpoint>(bytes);
  if (!in) return std::unexpected(in.error());
  return WebhookEndpointState{in->disabled(), from_ms(in->since()), in->failing()};
}

}  // namespace otpd::otp
