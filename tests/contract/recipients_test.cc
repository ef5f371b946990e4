// Who is sent to: test recipients with their fixed codes, and destinations that are not served.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

using ::testing::UnorderedElementsAre;

constexpr const char* k_fixed = "246810";
constexpr const char* k_british_premium = "+449012345678";

class TestRecipientUseCase : public UseCase {
 protected:
  TestRecipientUseCase() {
    house_.rules.test_recipients.emplace(
        k_phone, otp::TestRecipient{Secret(k_fixed), storage::k_start + std::chrono::hours(24)});
  }
  static bool is_sent(const otp::SendOutcome& outcome) {
    return std::holds_alternative<otp::Sent>(outcome);
  }
  std::vector<std::string> details(std::string_view type) {
    std::vector<std::string> all;
    for (const audit::Event& event : house_.events(type)) all.push_back(event.detail);
    return all;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, TestRecipientUseCase, k_houses, storage::backend_name);

TEST_P(TestRecipientUseCase, ItsCodeIsFixedAndNothingIsSent) {
  const auto outcome = house_.send(house_.send_request());
  const auto& sent = std::get<otp::Sent>(outcome);
  EXPECT_TRUE(house_.take_all().empty());
  EXPECT_EQ(house_.status(sent.answer.verification_id), "delivered");
  EXPECT_TRUE(std::holds_alternative<otp::WrongCode>(house_.verify(other_code(k_fixed))));
  const auto verified = house_.verify(k_fixed);
  EXPECT_FALSE(std::get<otp::Verified>(verified).session.empty());
}

TEST_P(TestRecipientUseCase, EveryLineAboutItIsMarked) {
  house_.send(house_.send_request());
  house_.verify(other_code(k_fixed));
  house_.verify(k_fixed);
  house_.verify(k_fixed);
  for (const auto line :
       {type::k_send, type::k_verify_fail, type::k_verify_success, type::k_verify_repeat}) {
    EXPECT_THAT(details(line), UnorderedElementsAre("test_recipient")) << line;
  }
}

TEST_P(TestRecipientUseCase, WithoutASendItsCodeIsWorthNothing) {
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(house_.verify(k_fixed)));
}

TEST_P(TestRecipientUseCase, ItsCodeIsNobodyElses) {
  const std::string other = "+14155550100";
  const otp::Payload payload = house_.send_and_take(house_.send_request(other));
  ASSERT_NE(payload.code.reveal(), k_fixed);
  EXPECT_TRUE(
      std::holds_alternative<otp::WrongCode>(house_.verify(house_.verify_request(k_fixed, other))));
  EXPECT_NE(house_.events(type::k_send)[0].detail, "test_recipient");
}

TEST_P(TestRecipientUseCase, NoLimitOfSendsAndNoCarrierHoldsItBack) {
  house_.rules.limits.ip_sends.max = 1;
  house_.rules.limits.user_sends.max = 1;
  house_.rules.destinations.denied_countries = {"US"};
  house_.roads.blocked = Seconds(5);
  for (int i = 0; i < 12; ++i) {
    otp::SendRequest request = house_.send_request();
    request.user_id = k_user;
    ASSERT_TRUE(is_sent(house_.send(std::move(request)))) << i;
  }
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(k_fixed)));
  // Nor did its sends count against anybody else.
  house_.roads.blocked.reset();
  house_.rules.destinations.denied_countries.clear();
  EXPECT_TRUE(is_sent(house_.send(house_.send_request("+14155550100"))));
}

TEST_P(TestRecipientUseCase, GuessesAreLimitedAsEverybodys) {
  house_.rules.limits.recipient_guesses.max = 4;
  for (int round = 0; round < 2; ++round) {
    house_.send(house_.send_request());
    for (int i = 0; i < 3; ++i) house_.verify(other_code(k_fixed));
  }
  EXPECT_TRUE(std::holds_alternative<otp::RateLimited>(house_.verify(k_fixed)));
}

TEST_P(TestRecipientUseCase, FromItsEndOnItIsLikeAnyOther) {
  house_.world.clock.advance(std::chrono::hours(24) - Millis(1));
  house_.send(house_.send_request());
  EXPECT_TRUE(house_.take_all().empty());
  house_.world.clock.advance(Millis(1));
  const otp::Payload payload = house_.send_and_take();  // of a new verification
  EXPECT_FALSE(house_.find(payload.verification_id)->test_recipient);
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(payload.code.reveal())));
}

TEST_P(TestRecipientUseCase, AFixedCodeEndsWithItsRecipient) {
  house_.world.clock.advance(std::chrono::hours(24) - Millis(1));
  house_.send(house_.send_request());
  house_.world.clock.advance(Millis(1));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(house_.verify(k_fixed)));
}

TEST_P(TestRecipientUseCase, AFixedCodeEndsWhenItIsConfiguredNoMore) {
  house_.send(house_.send_request());
  const auto one = house_.rules.test_recipients.extract(k_phone);
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(house_.verify(k_fixed)));
}

TEST_P(TestRecipientUseCase, ACodeDrawnBeforeItWasOneIsSuperseded) {
  auto one = house_.rules.test_recipients.extract(k_phone);
  const otp::Payload before = house_.send_and_take();
  house_.rules.test_recipients.insert(std::move(one));
  house_.send(house_.send_request());
  EXPECT_EQ(house_.status(before.verification_id), "canceled");
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(k_fixed)));
}

TEST_P(TestRecipientUseCase, ItsCodeMayHaveAnotherLength) {
  house_.rules.test_recipients.at(k_phone).code = Secret(std::string("2468"));
  house_.send(house_.send_request());
  EXPECT_EQ(std::get<otp::BadCode>(house_.verify(k_fixed)).digits, 4U);
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify("2468")));
}

TEST_P(TestRecipientUseCase, UnderAnIdempotencyKeyItIsOneSend) {
  const auto send = [&] {
    otp::SendRequest request = house_.send_request();
    request.idempotency_key = "k";
    return std::get<otp::Sent>(house_.send(std::move(request))).answer.verification_id;
  };
  EXPECT_EQ(send(), send());
  EXPECT_EQ(house_.events(type::k_send).size(), 1U);
}

class DestinationUseCase : public GatewayFlow {
 protected:
  DestinationUseCase() {
    house_.rules.destinations.denied_types = {otp::NumberType::premium_rate};
    house_.rules.destinations.denied_countries = {"FR"};
  }
  Answer send_to(const std::string& phone) { return send(json{{"phone", phone}}.dump()); }
};
INSTANTIATE_TEST_SUITE_P(Backends, DestinationUseCase, k_houses, storage::backend_name);

TEST_P(DestinationUseCase, WhatIsNotServedIsRefusedAndExplained) {
  const std::pair<const char*, const char*> cases[] = {{k_british_premium, "type_premium_rate"},
                                                       {"+33612345678", "country_denied"}};
  for (const auto& [phone, reason] : cases) {
    const Answer refused = send_to(phone);
    EXPECT_EQ(refused.status, 422);
    EXPECT_EQ(refused.error(), "recipient_not_allowed");
    EXPECT_EQ(refused.body["member"], "phone");
    const auto lines = house_.world.events({.limit = 1});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0].event_type, type::k_not_allowed);
    EXPECT_EQ(lines[0].detail, reason);
    EXPECT_EQ(lines[0].ip_address, "127.0.0.1");
    EXPECT_FALSE(lines[0].country.empty());
    EXPECT_FALSE(lines[0].channel_hash.empty());
  }
  EXPECT_TRUE(house_.take_all().empty());
  EXPECT_EQ(send_to("+447400123456").status, 202);
}

TEST_P(DestinationUseCase, ARefusalIsNotRememberedUnderAnIdempotencyKey) {
  const auto body = json{{"phone", "+33612345678"}, {"idempotency_key", "k"}}.dump();
  EXPECT_EQ(send(body).status, 422);
  house_.rules.destinations.denied_countries.clear();
  EXPECT_EQ(send(body).status, 202);
}

TEST_P(DestinationUseCase, AShadowRefusesNothingAndRecordsWhatItWould) {
  house_.rules.destinations_shadow = true;
  const Answer sent = send_to(k_british_premium);
  EXPECT_EQ(sent.status, 202);
  EXPECT_EQ(house_.take_all().size(), 1U);
  const auto lines = house_.events(type::k_not_allowed_shadow);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "type_premium_rate");
  EXPECT_EQ(lines[0].country, "GB");
  EXPECT_EQ(lines[0].verification_id, sent.body["verification_id"].get<std::string>());
  EXPECT_EQ(send_to(k_british_premium).error(), "rate_limited");  // what was not sent is no line
  EXPECT_EQ(house_.events(type::k_not_allowed_shadow).size(), 1U);
  EXPECT_TRUE(house_.events(type::k_not_allowed).empty());
}

TEST_P(DestinationUseCase, MailIsServedEverywhere) {
  house_.rules.destinations.allowed_countries = {"DE"};
  EXPECT_EQ(send(R"({"email":"ada@example.com"})").status, 202);
}

TEST_P(DestinationUseCase, WhatIsNotServedAnyMoreCanStillBeVerified) {
  send_to("+447400123456");
  house_.rules.destinations.denied_countries = {"GB"};
  const Answer verified =
      ask("POST", "/otp/verify", json{{"phone", "+447400123456"}, {"code", code()}}.dump());
  EXPECT_EQ(verified.status, 200);
}

}  // namespace
}  // namespace otpd::usecase
