// Captchas on the wire: the payload that a solver hands in, and the answer that asks for one.
#pragma once

#include <optional>

#include "gateway/json_reader.h"

namespace otpd::gateway {

inline constexpr std::size_t k_max_captcha_bytes = 8'192;

// The payload under "captcha": base64 of the JSON of an ALTCHA solution, version 2 or 1. Nothing if
// it is not there; nothing, and a refusal, if it has not the form of either. Whether it is a
// solution is not looked at.
std::optional<otp::CaptchaAnswer> read_captcha(Members& members);

// The refusal that carries the challenge.
Problem problem_of(const otp::CaptchaRequired& required);

}  // namespace otpd::gateway
