// Blocks of numbers that are pumped: closed, opened by time or by an operator, and listed.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

using otp::Cap;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;

constexpr const char* k_pumped = "+1415555";
constexpr const char* k_honest = "+1415556";

class PumpingUseCase : public GatewayFlow {
 protected:
  PumpingUseCase() {
    house_.rules.limits.ip_sends.max = 1'000'000;
    house_.rules.caps.pumping = {};
    house_.rules.caps.pumping.min_sends = 20;
  }

  Answer send_to(const std::string& phone) { return send(json{{"phone", phone}}.dump()); }
  std::string number(const std::string& block) { return block + std::to_string(1'000 + next_++); }
  // Sends to new numbers of the block, and verifies so many of the first.
  void pump(int sends, int verified = 0, const std::string& block = k_pumped) {
    for (int n = 0; n < sends; ++n) {
      const std::string phone = number(block);
      ASSERT_EQ(send_to(phone).status, 202) << n;
      const std::string right = code();
      if (n >= verified) continue;
      const auto body = json{{"phone", phone}, {"code", right}}.dump();
      ASSERT_EQ(ask("POST", "/otp/verify", body).status, 200);
    }
    house_.world.clock.advance(minutes(4));  // the grace, and the minute in which they count
  }
  bool is_closed(const std::string& block = k_pumped) {
    const Answer answer = send_to(number(block));
    if (answer.status == 202) house_.take_all();
    return answer.status != 202;
  }
  Answer reset(const std::string& prefix) {
    net::HttpRequest http = request("DELETE", "/admin/blocks/" + prefix);
    http.headers.emplace_back("Authorization", "Bearer " + k_admin);
    return ask(std::move(http));
  }
  json listed() { return ask_admin("/admin/blocks").body["blocks"]; }

  int next_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Backends, PumpingUseCase, k_houses, storage::backend_name);

TEST_P(PumpingUseCase, ABlockWhereNobodyAnswersIsClosedAndNoOther) {
  pump(20);
  pump(20, 20, k_honest);
  const Answer refused = send_to(number(k_pumped));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.error(), "rate_limited");
  EXPECT_EQ(refused.body["limit"], "block");  // like any other cap of a block
  EXPECT_EQ(refused.header("Retry-After"), "1800");
  const auto closings = house_.events(type::k_pumping_blocked);
  ASSERT_EQ(closings.size(), 1U);
  EXPECT_EQ(closings[0].detail, k_pumped);
  EXPECT_EQ(closings[0].country, "US");
  const auto lines = house_.events(type::k_limited);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "pumping");
  EXPECT_FALSE(is_closed(k_honest));
  EXPECT_TRUE(is_closed());
  EXPECT_EQ(house_.events(type::k_pumping_blocked).size(), 1U);
}

TEST_P(PumpingUseCase, TheListSaysWhichWhyAndForHowLong) {
  pump(30, 2);
  EXPECT_EQ(listed(), json::array());
  EXPECT_TRUE(is_closed());
  const json blocks = listed();
  ASSERT_EQ(blocks.size(), 1U);
  const json expected{{"prefix", k_pumped},
                      {"reason", "conversion"},
                      {"closings", 1},
                      {"sends", 30},
                      {"verified", 2}};
  for (const auto& [name, value] : expected.items()) EXPECT_EQ(blocks[0][name], value) << name;
  house_.world.clock.advance(minutes(30));
  EXPECT_EQ(listed(), json::array());
}

TEST_P(PumpingUseCase, WhereEnoughAnswerItStaysOpen) {
  pump(30, 3);
  EXPECT_FALSE(is_closed());
  pump(30, 4);
  EXPECT_FALSE(is_closed());
}

TEST_P(PumpingUseCase, AFurtherCodeThatIsVerifiedCountsAsWell) {
  house_.rules.caps.pumping.min_percent = 90;
  pump(20, 20);
  EXPECT_FALSE(is_closed());
}

TEST_P(PumpingUseCase, ALinkThatIsOpenedIsAnAnswer) {
  house_.rules.caps.pumping.min_percent = 50;
  for (int n = 0; n < 20; ++n) {
    const auto payload =
        house_.send_and_take(house_.send_request(number(k_pumped), "password_reset"));
    const auto token = json{{"token", payload.link_token.reveal()}}.dump();
    ASSERT_EQ(ask("POST", "/otp/verify", token).status, 200);
  }
  house_.world.clock.advance(minutes(4));
  EXPECT_FALSE(is_closed());
}

TEST_P(PumpingUseCase, WhatWasSentAMomentAgoIsNotJudged) {
  for (int n = 0; n < 40; ++n) EXPECT_EQ(send_to(number(k_pumped)).status, 202);
  EXPECT_FALSE(is_closed());
}

TEST_P(PumpingUseCase, EveryFurtherClosingIsTwiceAsLong) {
  for (const int closed : {30, 60, 120}) {
    pump(20);
    EXPECT_EQ(send_to(number(k_pumped)).header("Retry-After"), std::to_string(closed * 60));
    house_.world.clock.advance(minutes(closed) - Millis(1));
    EXPECT_TRUE(is_closed());
    house_.world.clock.advance(Millis(1));
  }
  EXPECT_FALSE(is_closed());
  EXPECT_EQ(house_.events(type::k_pumping_blocked).size(), 3U);
}

TEST_P(PumpingUseCase, AnOperatorOpensItAndForgetsTheClosings) {
  pump(20);
  EXPECT_TRUE(is_closed());
  const Answer opened = reset(k_pumped);
  EXPECT_EQ(opened.status, 200) << opened.body;
  EXPECT_EQ(opened.body, (json{{"prefix", k_pumped}, {"reset", true}}));
  EXPECT_EQ(listed(), json::array());
  const auto lines = house_.events(type::k_admin_block_reset);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, k_pumped);
  EXPECT_EQ(lines[0].ip_address, "127.0.0.1");
  EXPECT_FALSE(is_closed());
  pump(20);
  EXPECT_EQ(send_to(number(k_pumped)).header("Retry-After"), "1800");
  EXPECT_EQ(reset("%2B1415555").status, 200);
  EXPECT_EQ(reset("1415555").status, 404);  // it is open
  for (const char* nothing : {"+1415559", "+", "%2B", "1415555x", "+14155551234567890"}) {
    EXPECT_EQ(reset(nothing).status, 404) << nothing;
  }
  EXPECT_EQ(ask("DELETE", "/admin/blocks/1415555").status, 401);
  EXPECT_EQ(ask("GET", "/admin/blocks").status, 401);
}

TEST_P(PumpingUseCase, AShadowClosesNothingAndRecordsWhatItWould) {
  house_.rules.caps.pumping.shadow = true;
  pump(20);
  EXPECT_FALSE(is_closed());
  const auto lines = house_.events(type::k_limited_shadow);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "pumping");
  EXPECT_FALSE(lines[0].verification_id.empty());
  EXPECT_EQ(listed().size(), 1U);
  EXPECT_TRUE(house_.events(type::k_limited).empty());
}

// Refused requests are no messages: nobody can close a block by asking for what is not sent.
TEST_P(PumpingUseCase, WhatIsNotSentIsNotJudged) {
  house_.rules.limits.friction.recipient_sends = 1;
  for (int n = 0; n < 40; ++n) EXPECT_EQ(send_to(number(k_pumped)).status, 403);
  house_.rules.limits.friction.recipient_sends = 100;
  house_.rules.caps.countries["US"] = {{Cap{1}}};
  EXPECT_EQ(send_to(number(k_pumped)).status, 202);
  for (int n = 0; n < 40; ++n) EXPECT_EQ(send_to(number(k_pumped)).status, 429);
  house_.rules.caps.countries.clear();
  house_.world.clock.advance(minutes(4));
  EXPECT_FALSE(is_closed());
}

// The process dies between a block's own record and the list: whoever asks next puts it there.
TEST_P(PumpingUseCase, AClosedBlockComesOntoTheListWhateverHappens) {
  pump(20);
  house_.store.script = [](Operation operation, const otp::Key& key, const otp::Effects&) {
    return operation == Operation::commit && key.starts_with('b') ? Fault::before : Fault::none;
  };
  EXPECT_EQ(send_to(number(k_pumped)).status, 503);
  house_.store.script = {};
  EXPECT_EQ(listed(), json::array());
  EXPECT_EQ(send_to(number(k_pumped)).status, 429);
  EXPECT_EQ(listed().size(), 1U);
  EXPECT_EQ(listed()[0]["sends"], 20);
  EXPECT_EQ(house_.events(type::k_pumping_blocked).size(), 1U);
}

TEST_P(PumpingUseCase, ACodeIsRightEvenIfItsBlockCannotBeTold) {
  ASSERT_EQ(send_to("+14155551234").status, 202);
  const std::string right = code();
  house_.store.script = [](Operation, const otp::Key& key, const otp::Effects&) {
    return key.starts_with('l') ? Fault::before : Fault::none;
  };
  const auto body = json{{"phone", "+14155551234"}, {"code", right}}.dump();
  EXPECT_EQ(ask("POST", "/otp/verify", body).status, 200);
}

TEST_P(PumpingUseCase, TheClosedBlocksOfOneApplicationAreNotAnothers) {
  pump(20);
  EXPECT_TRUE(is_closed());
  house_.rules.application = "other";
  EXPECT_EQ(listed(), json::array());
  EXPECT_EQ(reset(k_pumped).status, 404);
  EXPECT_FALSE(is_closed());
  house_.rules.application = "default";
  EXPECT_TRUE(is_closed());
}

}  // namespace
}  // namespace otpd::usecase
