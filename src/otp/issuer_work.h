// What one send has in hand on its way through the issuer. For issuer*.cc alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "otp/issuer.h"

namespace otpd::otp {

// One send on its way.
struct Issuer::Work {
  const SendRequest& request;
  Policy policy;
  std::string recipient_hash;
  std::string bound_to;      // context hash
  std::string admission_id;  // drawn, or the idempotency key's
  EventWriter events;
  Secret code;         // what is to be delivered
  Secret link_secret;  // 128 bits; empty if the purpose has no link
  std::string ip_hash;
  std::uint32_t ip_sends = 0;           // of its address in the friction's window, with this one
  std::optional<CaptchaProof> captcha;  // redeemed for this send
  const TestRecipient* test = nullptr;
  std::string_view shadow_refusal;        // why nothing would be sent if it were not a shadow only
  std::string block;                      // of numbers, by its hash
  std::optional<std::uint32_t> pressure;  // the captcha's level that every send has to bring
  std::vector<std::string_view> shadow_limits;  // by which it would be refused likewise
  std::optional<Micros> charged;                // what it costs, once the caps have let it through

  SendQuestion question(const Limits& limits) const {
    const auto level = captcha ? std::optional(captcha->level) : std::nullopt;
    return {request.purpose, bound_to, admission_id,    policy,  limits,
            ip_sends,        level,    test != nullptr, pressure};
  }
};

// Whether the send ended without anything being written that counts as one.
bool is_refusal(const Result<SendOutcome>& outcome);

// What became of charging one limit.
struct Issuer::Charge {
  std::optional<RateLimited> refusal;
  std::uint32_t recent = 0;  // charges in the friction's window, with this one
};

}  // namespace otpd::otp
