// What tests of sessions do again and again.
#pragma once

#include <optional>
#include <vector>

#include "house.h"
#include "otp/keys.h"

namespace otpd::usecase {

inline constexpr const char* k_other_user = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

class SessionHouse : public UseCase {
 protected:
  otp::SessionToken open(std::string_view user = k_user) {
    const auto opened = storage::await(house_.sessions.open({user, "login", k_ip})).value();
    return std::move(otp::SessionToken::parse(opened.token.reveal()).value());
  }
  static bool is_live_in(otp::Sessions& sessions, const otp::SessionToken& token) {
    return storage::await(sessions.introspect(token, k_ip)).value().has_value();
  }
  bool is_live(const otp::SessionToken& token) { return is_live_in(house_.sessions, token); }
  std::optional<otp::SessionToken> rotate(const otp::SessionToken& token,
                                          std::string_view caller = "web") {
    const auto rotated = storage::await(house_.sessions.rotate(token, caller, k_ip)).value();
    return rotated ? otp::SessionToken::parse(rotated->token.reveal()) : std::nullopt;
  }
  void revoke(const otp::SessionToken& token) {
    EXPECT_TRUE(storage::await(house_.sessions.revoke(token, k_ip)).has_value());
  }
  std::vector<otp::Session> list() { return storage::await(house_.sessions.list(k_user)).value(); }
};

}  // namespace otpd::usecase
