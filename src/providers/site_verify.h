// Asks the vendors of captchas whether an answer is right: Turnstile, hCaptcha and reCAPTCHA, whose
// `siteverify` are alike.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "net/client.h"
#include "otp/hosted_captcha.h"

namespace otpd::providers {

struct SiteVerifyConfig {
  otp::CaptchaKind kind = otp::CaptchaKind::turnstile;
  std::string url;       // empty: the vendor's
  std::string site_key;  // hCaptcha is asked about this one only
  Secret secret;
  Millis timeout{3'000};
};

// The vendor's own address.
std::string_view default_verify_url(otp::CaptchaKind kind);

// Asks over `client`, on its `loop`, from any loop. Both outlive it and what it was asked.
std::unique_ptr<otp::CaptchaJudge> make_captcha_judge(SiteVerifyConfig config,
                                                      boost::asio::io_context& loop,
                                                      net::Client& client);

// What an answer of `siteverify` says. Failure::unavailable if it says nothing usable, or that it
// is us who are wrong: then nobody's captcha is worth anything, and no client is to hear why.
Result<otp::VendorVerdict> read_verdict(int status, std::string_view body);

}  // namespace otpd::providers
