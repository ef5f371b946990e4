#include "otp/hosted_captcha.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace otpd::otp {
namespace {

constexpr TimePoint k_solved{Millis(1'800'000'000'000)};

HostedCaptcha make_hosted(CaptchaKind kind) {
  return {.kind = kind, .site_key = "1x000", .hosts = {"otp.example", "login.example"}};
}

VendorVerdict good_verdict() {
  return {.success = true,
          .other_site = false,
          .too_late = false,
          .hostname = "login.example",
          .action = "login",
          .solved_at = k_solved,
          .score = std::nullopt};
}

TEST(HostedCaptcha, WhatCountsAsOne) {
  const HostedCaptcha hosted = make_hosted(CaptchaKind::recaptcha);
  struct Case {
    std::function<void(VendorVerdict&)> change;
    Millis later;
    std::string_view refusal;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [change, later, refusal] : {
           Case{[](auto&) {}, Millis(0), ""},
           Case{[](auto& v) { v.action = ""; }, Millis(0), ""},
           Case{[](auto& v) { v.hostname = "otp.example"; }, Millis(0), ""},
           Case{[](auto& v) { v.success = false; }, Millis(0), "unsolved"},
           Case{[](auto& v) { v.success = false, v.too_late = true; }, Millis(0), "expired"},
           Case{[](auto& v) { v.success = false, v.other_site = true; }, Millis(0), "site"},
           Case{[](auto& v) { v.hostname = "evil.example"; }, Millis(0), "host"},
           Case{[](auto& v) { v.hostname = ""; }, Millis(0), "host"},
           Case{[](auto& v) { v.hostname = "login.example.evil.example"; }, Millis(0), "host"},
           Case{[](auto& v) { v.action = "password_reset"; }, Millis(0), "other"},
           Case{[](auto& v) { v.solved_at.reset(); }, Millis(0), "expired"},
           Case{[](auto&) {}, Seconds(360) - Millis(1), ""},
           Case{[](auto&) {}, Seconds(360), "expired"},
           Case{[](auto&) {}, -Seconds(60), ""},
           Case{[](auto&) {}, -Seconds(60) - Millis(1), "expired"},
           Case{[](auto& v) { v.score = 0.5; }, Millis(0), ""},
           Case{[](auto& v) { v.score = 0.49; }, Millis(0), "score"},
           Case{[nan](auto& v) { v.score = nan; }, Millis(0), "score"},
       }) {
    VendorVerdict verdict = good_verdict();
    change(verdict);
    EXPECT_EQ(refusal_of(verdict, hosted, Seconds(300), "login", k_solved + later), refusal)
        << later.count();
  }
}

// hCaptcha's score counts the other way round, and is not for everybody.
TEST(HostedCaptcha, OnlyRecaptchaHasAScoreThatIsRead) {
  VendorVerdict verdict = good_verdict();
  verdict.score = 0.0;
  EXPECT_EQ(
      refusal_of(verdict, make_hosted(CaptchaKind::hcaptcha), Seconds(300), "login", k_solved), "");
}

TEST(HostedCaptcha, TellsTheClientWhatToShow) {
  EXPECT_EQ((HostedChallenge{CaptchaKind::turnstile, "0x4AAA", "login"}.json()),
            R"({"type":"turnstile","site_key":"0x4AAA","action":"login"})");
}

}  // namespace
}  // namespace otpd::otp
