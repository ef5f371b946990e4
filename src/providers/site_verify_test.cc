#include "providers/site_verify.h"

#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

// As Turnstile, hCaptcha and reCAPTCHA document their answers.
TEST(SiteVerify, ReadsTheVerdictOfEachVendor) {
  const auto turnstile = read_verdict(200, R"({"success":true,"error-codes":[],
      "challenge_ts":"2022-10-06T00:07:23.274Z","hostname":"example.com","action":"login",
      "cdata":"","metadata":{"ephemeral_id":"x:9f78"}})");
  ASSERT_TRUE(turnstile);
  EXPECT_TRUE(turnstile->success);
  EXPECT_EQ(turnstile->hostname, "example.com");
  EXPECT_EQ(turnstile->action, "login");
  EXPECT_EQ(turnstile->solved_at, TimePoint(Millis(1'665'014'843'274)));
  EXPECT_FALSE(turnstile->score);

  const auto hcaptcha = read_verdict(200, R"({"success":true,
      "challenge_ts":"2022-10-06T00:07:23.274999Z","hostname":"example.com","credit":false})");
  ASSERT_TRUE(hcaptcha);
  EXPECT_EQ(hcaptcha->solved_at, TimePoint(Millis(1'665'014'843'274)));
  EXPECT_EQ(hcaptcha->action, "");

  const auto recaptcha = read_verdict(200, R"({"success":true,"score":0.9,"action":"login",
      "challenge_ts":"2022-10-06T00:07:23Z","hostname":"example.com"})");
  ASSERT_TRUE(recaptcha);
  EXPECT_EQ(recaptcha->score, 0.9);
  EXPECT_EQ(recaptcha->solved_at, TimePoint(Millis(1'665'014'843'000)));
}

TEST(SiteVerify, ReadsRefusals) {
  for (const auto& [code, too_late] : {std::pair{"invalid-input-response", false},
                                       {"missing-input-response", false},
                                       {"bad-request", false},
                                       {"something-new", false},
                                       {"timeout-or-duplicate", true},
                                       {"expired-input-response", true},
                                       {"already-seen-response", true},
                                       {"invalid-or-already-seen-response", true}}) {
    const std::string body = std::string(R"({"success":false,"error-codes":[")") + code + "\"]}";
    for (const int status : {200, 400}) {
      const auto verdict = read_verdict(status, body);
      ASSERT_TRUE(verdict) << code;
      EXPECT_FALSE(verdict->success);
      EXPECT_EQ(verdict->too_late, too_late) << code;
    }
  }
  EXPECT_FALSE(read_verdict(200, R"({"success":false})")->success);
}

// It may be our configuration, and it may be a client with another site's token.
TEST(SiteVerify, AnotherSiteIsToldFromAWrongAnswer) {
  for (const char* code :
       {"sitekey-secret-mismatch", "not-using-dummy-passcode", "not-using-dummy-secret"}) {
    const auto verdict = read_verdict(
        200, std::string(R"({"success":false,"error-codes":["invalid-input-response",")") + code +
                 "\"]}");
    ASSERT_TRUE(verdict) << code;
    EXPECT_TRUE(verdict->other_site) << code;
  }
  const auto wrong =
      read_verdict(200, R"({"success":false,"error-codes":["invalid-input-response"]})");
  EXPECT_FALSE(wrong.value().other_site);
}

TEST(SiteVerify, WhatIsNoVerdictIsNoVerdict) {
  for (const auto& [status, body] : std::initializer_list<std::pair<int, const char*>>{
           {200, ""},
           {200, "<html>"},
           {200, "true"},
           {200, "[]"},
           {200, "{}"},
           {200, R"({"success":"true"})"},
           {200, R"({"success":1})"},
           {200, R"({"success":true} x)"},
           {200, R"({"success":false,"error-codes":["invalid-input-secret"]})"},
           {200, R"({"success":false,"error-codes":["missing-input-secret"]})"},
           {200, R"({"success":false,"error-codes":["internal-error"]})"},
           {200, R"({"success":false,"error-codes":["invalid-sitekey"]})"},
           {400, R"({"success":false,"error-codes":["invalid-widget-id"]})"},
           {400, R"({"success":false,"error-codes":["invalid-parsed-secret"]})"},
           {500, R"({"success":true})"},
           {502, R"({"success":false})"},
           {302, R"({"success":true})"},
           {404, R"({"success":true})"},
           {100, R"({"success":true})"}}) {
    const auto verdict = read_verdict(status, body);
    ASSERT_FALSE(verdict) << status << body;
    EXPECT_EQ(verdict.error().kind, Failure::unavailable);
  }
  // Members of another type are not there.
  const auto odd = read_verdict(
      200, R"({"success":true,"hostname":["a"],"challenge_ts":"yesterday","score":"1"})");
  ASSERT_TRUE(odd);
  EXPECT_EQ(odd->hostname, "");
  EXPECT_FALSE(odd->solved_at);
  EXPECT_FALSE(odd->score);
}

struct Vendors : ProviderTest {
  Result<otp::VendorVerdict> ask(otp::CaptchaKind kind, Millis timeout = Seconds(3)) {
    const auto judge = make_captcha_judge({.kind = kind,
                                           .url = carrier.url() + "/siteverify",
                                           .site_key = "site & key",
                                           .secret = Secret(std::string("s3cret")),
                                           .timeout = timeout},
                                          loop, client);
    std::optional<Result<otp::VendorVerdict>> verdict;
    const auto body = [&]() -> Task<void> { verdict = co_await judge->ask("to+ken"); };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    loop.restart();
    while (!verdict && loop.run_one() > 0) {
    }
    return std::move(*verdict);
  }
};

TEST_F(Vendors, AreAskedAsTheyDocument) {
  carrier.answer = {.status = 200, .body = R"({"success":true,"hostname":"h"})", .headers = {}};
  const auto verdict = ask(otp::CaptchaKind::turnstile);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->hostname, "h");
  EXPECT_EQ(carrier.last.method, "POST");
  EXPECT_EQ(carrier.last.path, "/siteverify");
  EXPECT_EQ(net::find_header(carrier.last.headers, "Content-Type"),
            "application/x-www-form-urlencoded");
  EXPECT_EQ(carrier.last.body, "secret=s3cret&response=to%2Bken");
  ASSERT_TRUE(ask(otp::CaptchaKind::hcaptcha));
  EXPECT_EQ(carrier.last.body, "secret=s3cret&response=to%2Bken&sitekey=site%20%26%20key");
}

TEST_F(Vendors, ThatDoNotAnswerAreGivenUp) {
  carrier.silent = true;
  const auto begun = std::chrono::steady_clock::now();
  const auto verdict = ask(otp::CaptchaKind::recaptcha, Millis(200));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, Failure::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Seconds(2));
}

TEST(SiteVerify, KnowsWhereItsVendorsAre) {
  for (const auto kind :
       {otp::CaptchaKind::turnstile, otp::CaptchaKind::hcaptcha, otp::CaptchaKind::recaptcha}) {
    EXPECT_TRUE(default_verify_url(kind).starts_with("https://"));
    EXPECT_TRUE(default_verify_url(kind).ends_with("/siteverify"));
  }
}

}  // namespace
}  // namespace otpd::providers
