// Challenges as they come over HTTP, and their solutions as a solver hands them in.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/encoding.h"
#include "otp/test_captcha_solver.h"

namespace otpd::usecase {

inline otp::CaptchaChallenge challenge_in(const nlohmann::json& made) {
  const nlohmann::json& p = made.at("parameters");
  return {{.algorithm = p.at("algorithm"),
           .cost = p.at("cost"),
           .binding = p.at("data").at("binding"),
           .level = p.at("data").at("level"),
           .expires_at = p.at("expiresAt"),
           .key_length = p.at("keyLength"),
           .key_prefix = p.at("keyPrefix"),
           .key_signature = p.at("keySignature"),
           .nonce = p.at("nonce"),
           .salt = p.at("salt")},
          made.at("signature")};
}

// The solver's JSON, before base64.
inline nlohmann::json solved(const nlohmann::json& challenge) {
  const auto solution = otp::testing_captcha::solve(challenge_in(challenge));
  return {{"challenge", challenge},
          {"solution", {{"counter", 1}, {"derivedKey", solution.derived_key}, {"time", 12.5}}}};
}

inline std::string payload(const nlohmann::json& solution) {
  return base64_encode(solution.dump());
}

// What goes into "captcha" for that challenge.
inline std::string solve(const nlohmann::json& challenge) {
  return payload(solved(challenge));
}

}  // namespace otpd::usecase
