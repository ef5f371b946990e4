// Captchas of a vendor: asked for, judged by the vendor's word, good once; and the vendor away.
#include <barrier>
#include <thread>

#include "captcha_solving.h"
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class HostedCaptchas : public GatewayFlow {
 protected:
  HostedCaptchas() {
    house_.rules.limits.friction = {.recipient_sends = 1, .captcha_cost = 100, .captcha_work = 10};
    house_.rules.policies["login"].resend_after = Seconds(0);
    house_.rules.captcha = {.kind = otp::CaptchaKind::turnstile,
                            .site_key = "1x00000000000000000000AA",
                            .hosts = {"otp.example"}};
    house_.vendor.says = [this](const std::string& token) { return judged(token); };
  }
  // A vendor that takes each token once, if it begins with "good".
  Result<otp::VendorVerdict> judged(const std::string& token) {
    const std::lock_guard lock(mutex_);
    otp::VendorVerdict verdict{.success = token.starts_with("good") && seen_.insert(token).second};
    verdict.too_late = !verdict.success && seen_.contains(token);
    verdict.hostname = "otp.example";
    verdict.action = "login";
    verdict.solved_at = house_.world.clock.now();
    return verdict;
  }
  Answer send_with(const std::string& captcha, const json& more = json::object()) {
    json body{{"phone", k_phone}, {"captcha", captcha}};
    body.update(more);
    house_.world.clock.advance(Millis(1));  // so that the last line is the last
    return send(body.dump());
  }
  std::string last_reason() {
    const auto told = house_.events(type::k_captcha_required);
    return told.empty() ? "" : told[0].detail;
  }

  std::mutex mutex_;
  std::set<std::string> seen_;
};
INSTANTIATE_TEST_SUITE_P(Backends, HostedCaptchas, k_houses, storage::backend_name);

TEST_P(HostedCaptchas, TheClientHearsWhatToShowAndItsTokenLetsTheSendThrough) {
  const json shown{
      {"type", "turnstile"}, {"site_key", "1x00000000000000000000AA"}, {"action", "login"}};
  const Answer asked = send();
  EXPECT_EQ(asked.status, 403);
  EXPECT_EQ(asked.error(), "captcha_required");
  EXPECT_EQ(asked.body["captcha"], shown);
  EXPECT_EQ(ask("GET", "/captcha").body, shown);
  EXPECT_EQ(house_.vendor.asked, 0);
  EXPECT_EQ(send_with("good-1").status, 202);
  EXPECT_EQ(house_.take_all().size(), 1U);
}

TEST_P(HostedCaptchas, ATokenIsGoodOnce) {
  ASSERT_EQ(send_with("good-1").status, 202);
  EXPECT_EQ(send_with("good-1").status, 403);
  EXPECT_EQ(last_reason(), "used");
  seen_.clear();  // a vendor that forgets: we do not
  EXPECT_EQ(send_with("good-1").status, 403);
  EXPECT_EQ(house_.vendor.asked, 1);
}

TEST_P(HostedCaptchas, WhatTheVendorRefusesIsAskedForAgain) {
  EXPECT_EQ(send_with("bad").body["captcha"]["type"], "turnstile");
  EXPECT_EQ(last_reason(), "unsolved");
  EXPECT_EQ(send_with("good-1", {{"purpose", "password_reset"}}).status, 403);
  EXPECT_EQ(last_reason(), "other");
  house_.rules.captcha.hosts = {"elsewhere.example"};
  EXPECT_EQ(send_with("good-2").status, 403);
  EXPECT_EQ(last_reason(), "host");
  EXPECT_EQ(house_.take_all().size(), 0U);
}

TEST_P(HostedCaptchas, WhatIsNoTokenIsRefusedByName) {
  for (const std::string& bad : {std::string("two words"), std::string("a\nb"),
                                 std::string("\xc3\xa9"), std::string(8'193, 'x')}) {
    const Answer answer = send_with(bad);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body.value("member", ""), "captcha");
  }
  EXPECT_EQ(house_.vendor.asked, 0);
}

TEST_P(HostedCaptchas, ARetryUnderItsIdempotencyKeyDoesNotAskTwice) {
  house_.store.script = [](Operation, const otp::Key&, const otp::Effects& effects) {
    return effects.enqueue.empty() ? Fault::none : Fault::before;
  };
  const json key{{"idempotency_key", "once"}};
  EXPECT_EQ(send_with("good-1", key).status, 503);
  house_.store.script = nullptr;
  EXPECT_EQ(send_with("good-1", key).status, 202);
  EXPECT_EQ(house_.vendor.asked, 1);
}

TEST_P(HostedCaptchas, AVendorThatIsAwayRefuses) {
  house_.vendor.says = nullptr;
  const Answer refused = send_with("good-1");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.error(), "unavailable");
  EXPECT_EQ(last_reason(), "away");
  EXPECT_EQ(house_.take_all().size(), 0U);
}

TEST_P(HostedCaptchas, OrOursStandsInForItUntilItIsBack) {
  house_.rules.captcha.altcha_when_away = true;
  house_.vendor.says = nullptr;
  EXPECT_EQ(send().body["captcha"]["type"], "turnstile");
  const Answer instead = send_with("good-1");
  EXPECT_EQ(instead.error(), "captcha_required");
  const std::string solved = solve(instead.body["captcha"]);
  EXPECT_EQ(send_with(solved).status, 202);
  EXPECT_EQ(send_with(solved).body["captcha"]["type"], "turnstile");  // once, like any other
  EXPECT_EQ(house_.take_all().size(), 1U);
}

// Whoever brings another site's token must not get to choose the easier captcha by it.
TEST_P(HostedCaptchas, AnotherSiteIsNeitherAMistakeOfTheClientNorAVendorThatIsAway) {
  house_.vendor.says = [](const std::string&) {
    return otp::VendorVerdict{.success = false, .other_site = true};
  };
  for (const bool stand_in : {false, true}) {
    house_.rules.captcha.altcha_when_away = stand_in;
    const Answer refused = send_with("good-1");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.error(), "unavailable");
    EXPECT_EQ(last_reason(), "site");
  }
  EXPECT_EQ(house_.take_all().size(), 0U);
}

// Only where it is configured: a payload is no way around the vendor.
TEST_P(HostedCaptchas, OursIsWorthNothingBesideAVendorThatRefuses) {
  house_.rules.captcha.altcha_when_away = true;
  house_.vendor.says = nullptr;
  const std::string solved = solve(send_with("good-1").body["captcha"]);
  house_.rules.captcha.altcha_when_away = false;
  EXPECT_EQ(send_with(solved).status, 503);
  EXPECT_EQ(house_.take_all().size(), 0U);
}

TEST_P(HostedCaptchas, RacersWithOneTokenSendOneMessage) {
  constexpr std::size_t k_racers = 8;
  // The worst of vendors: it says yes to everybody.
  house_.vendor.says = [this](const std::string&) -> Result<otp::VendorVerdict> {
    return otp::VendorVerdict{
        .success = true, .hostname = "otp.example", .solved_at = house_.world.clock.now()};
  };
  house_.rules.limits.recipient_sends.max = 100;
  std::atomic<int> sent = 0;
  std::vector<std::thread> threads;
  std::barrier start(static_cast<std::ptrdiff_t>(k_racers));
  for (std::size_t i = 0; i < k_racers; ++i) {
    threads.emplace_back([&] {
      otp::SendRequest request = house_.send_request();
      request.captcha_token = "good-1";
      start.arrive_and_wait();
      const auto outcome = house_.try_send(std::move(request));
      sent += outcome && std::holds_alternative<otp::Sent>(*outcome) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(house_.take_all().size(), 1U);
}

}  // namespace
}  // namespace otpd::usecase
