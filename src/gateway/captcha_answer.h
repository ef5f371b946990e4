// Captchas on the wire: the payload that a solver hands in, and the answer that asks for one.
#pragma once

#include <optional>

#include "gateway/json_reader.h"

namespace otpd::gateway {

inline constexpr std::size_t k_max_captcha_bytes = 8'192;

// What stands under "captcha", for that request: the payload of an ALTCHA solution, version 2 or 1
// (base64 of JSON), or the token of a vendor's widget, as the rules have it; with a vendor, a
// payload counts only where ALTCHA stands in for it. A refusal if it has no such form. Whether it
// is a solution is not looked at.
void read_captcha(Members& members, const otp::HostedCaptcha& hosted, otp::SendRequest& request);

// The refusal that carries the challenge.
Problem problem_of(const otp::CaptchaRequired& required);

}  // namespace otpd::gateway
