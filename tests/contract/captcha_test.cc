// Friction through the gateway: when a captcha is asked for, what counts as one, and how often.
#include <algorithm>
#include <barrier>
#include <thread>

#include "base/encoding.h"
#include "captcha_solving.h"
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class GatewayCaptcha : public GatewayFlow {
 protected:
  GatewayCaptcha() { house_.rules.limits.friction = {.captcha_cost = 100, .captcha_work = 10}; }

  Answer send_with(const std::string& captcha, const std::string& phone = k_phone,
                   const json& more = json::object()) {
    json body{{"phone", phone}, {"captcha", captcha}};
    body.update(more);
    return send(body.dump());
  }
  // A send after the cool-down.
  Answer send_later(const std::string& phone = k_phone) {
    house_.world.clock.advance(Seconds(30));
    return send(json{{"phone", phone}}.dump());
  }
  // Two sends, and the challenge that the third is answered with.
  json asked(const std::string& phone = k_phone) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(send_later(phone).status, 202);
    const Answer third = send_later(phone);
    EXPECT_EQ(third.error(), "captcha_required");
    return third.body.value("captcha", json());
  }
  void expect_asked_again(const Answer& answer, const std::string& reason) {
    EXPECT_EQ(answer.status, 403) << answer.body;
    EXPECT_EQ(answer.error(), "captcha_required");
    EXPECT_TRUE(answer.body.contains("captcha"));
    const auto told = house_.events(type::k_captcha_required);
    EXPECT_TRUE(std::ranges::find(told, reason, &audit::Event::detail) != told.end()) << reason;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayCaptcha, k_houses, storage::backend_name);

TEST_P(GatewayCaptcha, TheThirdSendIsAskedAndASolutionLetsItThrough) {
  const json challenge = asked();
  EXPECT_EQ(house_.take_all().size(), 2U);
  const Answer accepted = send_with(solve(challenge));
  EXPECT_EQ(accepted.status, 202) << accepted.body;
  EXPECT_EQ(house_.take_all().size(), 1U);
  const auto told = house_.events(type::k_captcha_required);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].detail, "missing");
  EXPECT_EQ(told[0].purpose, "login");
}

TEST_P(GatewayCaptcha, TheWindowForgetsToTheMillisecond) {
  for (int i = 0; i < 2; ++i) ASSERT_EQ(send_later().status, 202);
  const TimePoint first = house_.world.clock.now() - Seconds(30);
  house_.world.clock.set(first + Seconds(600) - Millis(1));
  EXPECT_EQ(send().error(), "captcha_required");
  house_.world.clock.advance(Millis(1));
  EXPECT_EQ(send().status, 202);
}

TEST_P(GatewayCaptcha, ASolutionIsGoodOnce) {
  const std::string solution = solve(asked());
  ASSERT_EQ(send_with(solution).status, 202);
  house_.world.clock.advance(Seconds(30));
  expect_asked_again(send_with(solution), "easy");  // the fourth asks for more
  // Were it hard enough, it would still be a used one.
  house_.rules.limits.friction.recipient_sends = 4;
  expect_asked_again(send_with(solution), "used");
}

TEST_P(GatewayCaptcha, EachFurtherSendAsksForMore) {
  json challenge = asked();
  for (int level = 0; level < 3; ++level) {
    EXPECT_EQ(challenge["parameters"]["data"]["level"], level);
    ASSERT_EQ(send_with(solve(challenge)).status, 202);
    challenge = send_later().body.value("captcha", json());
  }
  EXPECT_TRUE(challenge.is_null());  // the limit of five an hour is before any captcha
}

TEST_P(GatewayCaptcha, IsForThisRecipientAndPurposeOnly) {
  const std::string solution = solve(asked());
  (void)asked("+14155550199");
  expect_asked_again(send_with(solution, "+14155550199"), "other");
  expect_asked_again(send_with(solution, k_phone, {{"purpose", "password_reset"}}), "other");
  EXPECT_EQ(send_with(solution).status, 202);  // a refusal has not used it up
}

TEST_P(GatewayCaptcha, ExpiresWithItsLife) {
  const std::string solution = solve(asked());
  house_.world.clock.advance(Seconds(300));
  expect_asked_again(send_with(solution), "expired");
}

TEST_P(GatewayCaptcha, ForgedAndWeakenedChallengesAreRefused) {
  const json challenge = asked();
  const json good = solved(challenge);
  for (const auto& [pointer, value] : std::initializer_list<std::pair<const char*, json>>{
           {"/challenge/parameters/cost", 1},
           {"/challenge/parameters/keyPrefix", "00"},
           {"/challenge/parameters/data/level", 6},
           {"/challenge/parameters/expiresAt", 4'000'000'000U},
           {"/challenge/parameters/algorithm", "SHA-256"},
           {"/challenge/signature", std::string(64, '0')}}) {
    json forged = good;
    forged[json::json_pointer(pointer)] = value;
    expect_asked_again(send_with(payload(forged)), "forged");
  }
  for (const std::string& key :
       {std::string(64, '0'), challenge["parameters"]["keyPrefix"].get<std::string>()}) {
    json lazy = good;
    lazy["solution"]["counter"] = 0;
    lazy["solution"]["derivedKey"] = key;
    expect_asked_again(send_with(payload(lazy)), "unsolved");
  }
  EXPECT_EQ(send_with(payload(good)).status, 202);
}

TEST_P(GatewayCaptcha, WhatIsNoPayloadIsRefusedByNameWhetherOneIsAskedForOrNot) {
  const json good = solved(ask("GET", "/captcha").body);
  const auto changed = [&](const char* pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return payload(bad);
  };
  json short_of = good;
  short_of["challenge"].erase("signature");
  for (const std::string& bad : {std::string("!"),
                                 std::string("e30"),
                                 base64_encode("{}"),
                                 base64_encode("[]"),
                                 base64_encode("{\"challenge\":1,\"solution\":2}"),
                                 payload(good) + "=",
                                 payload(short_of),
                                 std::string(8'193, 'A'),
                                 base64_encode(std::string(2'000, '{')),
                                 changed("/extra", 1),
                                 changed("/challenge/parameters/memoryCost", 1),
                                 changed("/challenge/parameters/cost", -1),
                                 changed("/challenge/parameters/cost", 1.5),
                                 changed("/challenge/parameters/cost", 1ULL << 32),
                                 changed("/challenge/parameters/nonce", "\",\"cost\":1,\"x\":\""),
                                 changed("/challenge/parameters/algorithm", "\""),
                                 changed("/challenge/signature", "ABCD"),
                                 changed("/solution/counter", "1"),
                                 changed("/solution/derivedKey", ""),
                                 changed("/solution/time", "now"),
                                 changed("/solution/derivedKey", std::string(200, '0'))}) {
    const Answer answer = send_with(bad);
    EXPECT_EQ(answer.status, 400) << bad.substr(0, 80);
    EXPECT_EQ(answer.error(), "invalid_request");
    EXPECT_EQ(answer.body.value("member", ""), "captcha");
  }
  for (const char* body :
       {R"({"phone":"+14155552671","captcha":true})", R"({"phone":"+14155552671","captcha":""})"}) {
    EXPECT_EQ(send(body).status, 400);
  }
  EXPECT_EQ(house_.take_all().size(), 0U);
}

TEST_P(GatewayCaptcha, AFreshOneIsForTheAddressAndThePurpose) {
  const Answer fresh = ask("GET", "/captcha?purpose=login");
  ASSERT_EQ(fresh.status, 200);
  EXPECT_EQ(fresh.header("Cache-Control"), "no-store");
  (void)asked();
  const std::string solution = solve(fresh.body);
  net::HttpRequest elsewhere =
      request("POST", "/otp/send", json{{"phone", k_phone}, {"captcha", solution}}.dump());
  elsewhere.peer = "::1";
  expect_asked_again(ask(std::move(elsewhere)), "other");
  expect_asked_again(send_with(solve(ask("GET", "/captcha?purpose=password_reset").body)), "other");
  EXPECT_EQ(send_with(solution).status, 202);
  EXPECT_EQ(ask("GET", "/captcha?purpose=nothing").status, 400);
  EXPECT_EQ(ask("GET", "/captcha?version=3").status, 400);
  EXPECT_EQ(ask("GET", "/captcha?phone=1").status, 400);
}

TEST_P(GatewayCaptcha, Version1IsTaken) {
  house_.rules.limits.friction.captcha_work = 1;
  (void)asked();
  const json made = ask("GET", "/captcha?version=1").body;
  EXPECT_EQ(made["algorithm"], "SHA-256");
  const auto solution = otp::testing_captcha::solve(otp::CaptchaChallengeV1{
      made["salt"], made["challenge"], made["maxnumber"], made["signature"]});
  json body{{"algorithm", "SHA-256"},          {"challenge", solution.challenge},
            {"number", solution.number},       {"salt", solution.salt},
            {"signature", solution.signature}, {"took", 3}};
  json lazy = body;
  lazy["number"] = solution.number + 1;
  expect_asked_again(send_with(payload(lazy)), "unsolved");
  EXPECT_EQ(send_with(payload(body)).status, 202);
  body["algorithm"] = "SHA-1";
  EXPECT_EQ(send_with(payload(body)).status, 400);
}

TEST_P(GatewayCaptcha, AnAddressThatSendsToManyIsAsked) {
  house_.rules.limits.friction.ip_sends = 3;
  EXPECT_EQ(send_later("+14155550101").status, 202);
  EXPECT_EQ(send_later("+14155550102").status, 202);
  const Answer third = send_later("+14155550103");
  ASSERT_EQ(third.error(), "captcha_required");
  EXPECT_EQ(send_with(solve(third.body["captcha"]), "+14155550103").status, 202);
  const json harder = send_later("+14155550104").body["captcha"];
  EXPECT_EQ(harder["parameters"]["data"]["level"], 1);
}

// What a limit refuses must not cost the captcha as well.
TEST_P(GatewayCaptcha, ARefusalByALimitLeavesTheCaptchaGood) {
  const std::string solution = solve(asked());
  house_.rules.limits.recipient_sends.max = 2;
  EXPECT_EQ(send_with(solution).body.value("limit", ""), "recipient");
  house_.rules.limits.recipient_sends.max = 5;
  house_.rules.limits.ip_sends.max = 1;
  EXPECT_EQ(send_with(solution).body.value("limit", ""), "ip");
  house_.rules.limits.ip_sends.max = 100;
  EXPECT_EQ(send_with(solution).status, 202);
}

TEST_P(GatewayCaptcha, OneThatNobodyAskedForIsNotUsedUp) {
  const std::string solution = solve(ask("GET", "/captcha").body);
  ASSERT_EQ(send_with(solution).status, 202);
  ASSERT_EQ(send_later().status, 202);
  ASSERT_EQ(send_later().status, 403);
  EXPECT_EQ(send_with(solution).status, 202);
}

TEST_P(GatewayCaptcha, ARepeatUnderItsIdempotencyKeyNeedsNoOther) {
  const json challenge = asked();
  const json key{{"idempotency_key", "once"}};
  const Answer first = send(json{{"phone", k_phone}, {"idempotency_key", "once"}}.dump());
  ASSERT_EQ(first.error(), "captcha_required");
  const Answer sent = send_with(solve(challenge), k_phone, key);
  ASSERT_EQ(sent.status, 202);
  const Answer again = send_with(solve(challenge), k_phone, key);
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(again.body, sent.body);
  EXPECT_EQ(house_.take_all().size(), 3U);
}

TEST_P(GatewayCaptcha, FetchingThemIsLimitedForEachAddress) {
  house_.rules.limits.ip_captchas = {3, Seconds(600)};
  for (const char* target : {"/captcha", "/captcha?version=1", "/captcha?purpose=login"}) {
    EXPECT_EQ(ask("GET", target).status, 200);
  }
  const Answer refused = ask("GET", "/captcha");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.error(), "rate_limited");
  EXPECT_EQ(refused.body.value("limit", ""), "captcha");
  EXPECT_EQ(refused.header("Retry-After"), "600");
  const auto told = house_.events(type::k_limited);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].detail, "captcha");
  net::HttpRequest elsewhere = request("GET", "/captcha");
  elsewhere.peer = "::1";
  EXPECT_EQ(ask(std::move(elsewhere)).status, 200);
  EXPECT_EQ(send().status, 202);  // the sends of the address are another limit
  house_.world.clock.advance(Seconds(600));
  EXPECT_EQ(ask("GET", "/captcha").status, 200);
}

// Two services over one store, each with racers of its own.
TEST_P(GatewayCaptcha, TwoProcessesRedeemOneSolutionOnce) {
  constexpr std::size_t k_racers = 8;
  constexpr int k_rounds = 20;
  otp::Issuer other(house_.services(), house_.rules, house_.roads);
  house_.rules.policies["login"].resend_after = Seconds(0);
  house_.rules.limits.recipient_sends.max = 1'000;
  house_.rules.limits.ip_sends.max = 10'000;
  house_.rules.limits.friction.recipient_sends = 1;
  house_.rules.limits.friction.ip_sends = 10'000;
  for (int round = 0; round < k_rounds; ++round) {
    const std::string phone = "+141555501" + std::to_string(10 + round);
    const Answer asked = send(json{{"phone", phone}}.dump());
    const auto answer = otp::testing_captcha::solve(challenge_in(asked.body["captcha"]));
    std::atomic<int> sent = 0;
    std::vector<std::thread> threads;
    std::barrier start(static_cast<std::ptrdiff_t>(k_racers));
    for (std::size_t i = 0; i < k_racers; ++i) {
      threads.emplace_back([&, i] {
        otp::SendRequest request = house_.send_request(phone);
        request.captcha = answer;
        start.arrive_and_wait();
        const auto outcome =
            storage::await((i % 2 == 0 ? house_.issuer : other).send(std::move(request)));
        sent += outcome && std::holds_alternative<otp::Sent>(*outcome) ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(sent, 1);
  }
  EXPECT_EQ(house_.take_all().size(), static_cast<std::size_t>(k_rounds));
}

// Without a cool-down, only the captcha stands between these.
TEST_P(GatewayCaptcha, RacersWithOneSolutionSendOneMessage) {
  constexpr std::size_t k_racers = 8;
  house_.rules.policies["login"].resend_after = Seconds(0);
  house_.rules.limits.recipient_sends.max = 100;
  const json challenge = asked();
  const auto answer = otp::testing_captcha::solve(challenge_in(challenge));
  (void)house_.take_all();
  std::vector<std::thread> threads;
  std::atomic<int> sent = 0;
  std::atomic<int> refused = 0;
  for (std::size_t i = 0; i < k_racers; ++i) {
    threads.emplace_back([&] {
      otp::SendRequest request = house_.send_request();
      request.captcha = answer;
      const auto outcome = house_.try_send(std::move(request));
      if (!outcome) return;
      sent += std::holds_alternative<otp::Sent>(*outcome);
      refused += std::holds_alternative<otp::CaptchaRequired>(*outcome);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(refused, static_cast<int>(k_racers) - 1);
  EXPECT_EQ(house_.take_all().size(), 1U);
}

// Two captchas for the last place that the recipient's limit has: the loser gets its own back.
TEST_P(GatewayCaptcha, TheLoserOfARaceKeepsItsCaptcha) {
  house_.rules.policies["login"].resend_after = Seconds(0);
  house_.rules.limits.recipient_sends.max = 3;
  const std::string first = solve(asked());
  const std::string second = solve(send().body["captcha"]);
  // While the first is about to be written, the second comes and goes.
  bool nested = false;
  std::optional<Answer> faster;
  house_.store.delay = [&](const otp::Effects& effects) -> Task<void> {
    if (effects.enqueue.empty() || nested) co_return;
    nested = true;
    faster = send_with(second);
  };
  const Answer slower = send_with(first);
  house_.store.delay = nullptr;
  ASSERT_TRUE(faster);
  EXPECT_EQ(faster->status, 202);
  EXPECT_EQ(slower.body.value("limit", ""), "recipient");
  house_.rules.limits.recipient_sends.max = 5;
  house_.rules.limits.friction.recipient_sends = 4;
  EXPECT_EQ(send_with(first).status, 202);
}

// The store fails between the captcha's record and the recipient's, before or after writing: a
// retry under the same key needs no other captcha, and sends one message.
TEST_P(GatewayCaptcha, ACrashBetweenTheRecordsCostsNoCaptcha) {
  for (const Fault fault : {Fault::before, Fault::after}) {
    const std::string phone = fault == Fault::before ? "+14155550101" : "+14155550102";
    const json key{{"idempotency_key", "key-" + phone}};
    const std::string solution = solve(asked(phone));
    (void)house_.take_all();
    house_.store.script = [&](Operation, const otp::Key&, const otp::Effects& effects) {
      return effects.enqueue.empty() ? Fault::none : fault;
    };
    EXPECT_EQ(send_with(solution, phone, key).status, 503);
    house_.store.script = nullptr;
    EXPECT_EQ(send_with(solution, phone, key).status, 202);
    EXPECT_EQ(house_.take_all().size(), 1U);
  }
}

}  // namespace
}  // namespace otpd::usecase
