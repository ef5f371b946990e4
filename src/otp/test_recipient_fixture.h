// A recipient for the tests of its rules.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "otp/verification.h"

namespace otpd::otp::testing_recipient {

inline constexpr TimePoint k_start{Millis(1'700'000'000'000)};
inline constexpr TimePoint after(Millis wait) {
  return k_start + wait;
}

// One recipient under one policy, with digests that are as good as real ones.
struct Fixture {
  RecipientState state;
  Policy policy;
  Limits limits{.friction = {.recipient_sends = 1'000'000, .ip_sends = 1'000'000}};
  Asker asker;
  int sends = 0;

  SendQuestion question(std::string_view purpose = "login", std::string_view context = {}) {
    return {purpose, context, "admission", policy, limits};
  }
  SendPlan plan(TimePoint now) {
    expire(state, now);
    return plan_send(state, question(), now);
  }
  // Sends, if it may, the code whose digest is "digest <n>"; the unique id of its verification.
  std::optional<Admission> send(TimePoint now, std::string_view purpose = "login",
                                std::string_view context = {}) {
    expire(state, now);
    const SendQuestion asked = question(purpose, context);
    const SendPlan planned = plan_send(state, asked, now);
    NewCode code;
    ++sends;
    code.verification_id = "fresh " + std::to_string(sends);
    code.salt = "salt " + std::to_string(sends);
    if (const auto* further = std::get_if<FurtherCode>(&planned)) {
      code.verification_id = further->verification_id;
      code.salt = further->salt;
    }
    code.digest = "digest " + std::to_string(sends);
    code.channel = "sms";
    return admit(state, asked, code, now);
  }
  Reservation guess(TimePoint now, std::size_t length = 6, std::string_view id = {}) {
    expire(state, now);
    return reserve(state, {"login", {}, id, length, policy.digits, limits, asker}, now);
  }
  // A whole verify: reserve, then settle with that digest.
  Settlement verify(TimePoint now, std::string_view digest) {
    const auto reserved = guess(now);
    if (!std::holds_alternative<Reserved>(reserved)) return Gone{};
    return settle(state, std::get<Reserved>(reserved).verification_id, digest, asker, now);
  }
};

}  // namespace otpd::otp::testing_recipient
