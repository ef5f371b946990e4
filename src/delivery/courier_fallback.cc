// Messages that follow on another channel when no receipt comes: planned with the first one's yes,
// charged when they are due.
#include "crypto/seal.h"
#include "delivery/courier_delivery.h"
#include "otp/events.h"
#include "otp/spending.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

otp::Recipient recipient_of(const otp::Payload& payload) {
  using Kind = otp::Recipient::Kind;
  return {payload.channel == "email" ? Kind::email : Kind::phone, payload.address.clone(),
          payload.address.clone(), payload.country};
}

}  // namespace

bool arrived(const otp::Payload& payload, const otp::Verification& verification) {
  if (payload.replaces.empty()) return false;
  return verification.delivery == otp::DeliveryState::delivered ||
         verification.message_id != payload.replaces;
}

void Courier::plan_fallback(Delivery& delivery, const std::string& message_id) {
  const otp::Payload& payload = delivery.payload;
  const Outlet& outlet = *delivery.outlet;
  const auto next = outlet.fallbacks.find(payload.channel);
  if (next == outlet.fallbacks.end() || message_id.empty() ||
      !outlet.fallback_purposes.contains(payload.purpose)) {
    return;
  }
  const TimePoint due = ports_.clock.now() + next->second.after;
  if (due >= delivery.job.expires_at) return;
  otp::Payload replacement = payload.clone();
  replacement.channel = next->second.channel;
  replacement.replaces = message_id;
  std::string plain = otp::encode(replacement);
  const std::string id = ports_.random.bytes(otp::k_hash_bytes);
  delivery.fallback = otp::NewJob{id, delivery.job.key, due, delivery.job.expires_at,
                                  crypto::seal(ports_.keys, ports_.random, plain, id)};
  wipe(plain);
}

// Charges what the message costs, before it goes out; why not, if a limit refuses it. The charge is
// for this try and, if no carrier takes the message, for the next one: what became of a try whose
// end was never written is not known, and what follows on it is charged again.
Task<Result<std::string_view>> Courier::charge_fallback(Delivery& delivery) {
  using Answer = std::string_view;
  const otp::Payload& payload = delivery.payload;
  const otp::VerificationId& id = payload.verification_id;
  const otp::Verification* verification = otp::find_verification(*delivery.state, id.unique);
  delivery.charged = verification->charged.pays_for(delivery.job.id, delivery.job.attempt);
  if (delivery.charged) co_return Answer();
  const otp::EventWriter events(
      ports_.random,
      {id.recipient_hash, payload.user_id, {}, payload.country, payload.purpose, {}});
  const otp::Recipient recipient = recipient_of(payload);
  auto charge = co_await delivery.outlet->caps.charge(recipient, payload.channel, events);
  if (!charge) co_return std::unexpected(charge.error());
  if (charge->refusal) co_return charge->reason;
  delivery.charged = true;
  delivery.shadowed = std::move(charge->shadowed);
  const std::string& application =
      payload.application.empty() ? config_.application : payload.application;
  otp::count_spent(ports_.metrics, application, payload.country, charge->price);
  co_return Answer();
}

}  // namespace otpd::delivery
