// Solves captchas as a client does: from what the challenge says alone.
#pragma once

#include <string>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/primitives.h"
#include "otp/captcha.h"

namespace otpd::otp::testing_captcha {

inline CaptchaSolution solve(const CaptchaChallenge& challenge) {
  const CaptchaParameters& asked = challenge.parameters;
  const std::string salt = hex_decode(asked.salt).value();
  const std::string prefix = hex_decode(asked.key_prefix).value();
  for (std::uint32_t counter = 0;; ++counter) {
    std::string password = hex_decode(asked.nonce).value();
    for (const int shift : {24, 16, 8, 0}) password += static_cast<char>(counter >> shift);
    const std::string key = crypto::pbkdf2_sha256(password, salt, asked.cost, asked.key_length);
    if (key.starts_with(prefix)) return {challenge, hex_encode(key)};
  }
}

inline CaptchaSolutionV1 solve(const CaptchaChallengeV1& asked) {
  for (std::uint32_t number = 0;; ++number) {
    if (hex_encode(crypto::sha256(asked.salt + std::to_string(number))) != asked.challenge)
      continue;
    return {asked.salt, asked.challenge, number, asked.signature};
  }
}

}  // namespace otpd::otp::testing_captcha
