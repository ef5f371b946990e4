// Sending: what is let through, what is refused, and what each leaves behind.
#include <set>

#include "crypto/seal.h"
#include "house.h"

namespace otpd::usecase {
namespace {

using storage::await;
using storage::k_start;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class SendUseCase : public UseCase {
 protected:
  // The name of the limit that refuses, or "" if none does.
  std::string refusal(otp::SendRequest request) {
    const auto outcome = house_.send(std::move(request));
    const auto* limited = std::get_if<otp::RateLimited>(&outcome);
    return limited == nullptr ? "" : std::string(limited->limit);
  }
  // Sends to `count` recipients that nobody sent to before.
  void send_to_others(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(refusal(house_.send_request("+1415600" + std::to_string(1'000 + others_++))), "");
    }
  }
  int others_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Backends, SendUseCase, k_houses, storage::backend_name);

TEST_P(SendUseCase, AnswersWithWhatTheCodeAllowsAndQueuesOneMessage) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  request.locale = "de-CH";
  const auto outcome = house_.send(std::move(request));
  const auto& sent = std::get<otp::Sent>(outcome);
  EXPECT_EQ(sent.answer.channel, "sms");
  EXPECT_EQ(sent.answer.expires_in, Seconds(300));
  EXPECT_EQ(sent.answer.attempts_remaining, 3U);
  EXPECT_EQ(sent.answer.resend_after, Seconds(30));
  EXPECT_EQ(sent.verdict.remaining, 4U);
  EXPECT_EQ(sent.rule.max, 5U);
  EXPECT_EQ(house_.status(sent.answer.verification_id), "queued");

  const auto payloads = house_.take_all();
  ASSERT_EQ(payloads.size(), 1U);
  const otp::Payload& payload = payloads[0];
  EXPECT_EQ(payload.verification_id, sent.answer.verification_id);
  EXPECT_EQ(payload.address.reveal(), k_phone);
  EXPECT_EQ(payload.code.size(), 6U);
  EXPECT_EQ(payload.channel, "sms");
  EXPECT_EQ(payload.purpose, "login");
  EXPECT_EQ(payload.locale, "de-CH");
  EXPECT_EQ(payload.country, "US");
  EXPECT_EQ(payload.user_id, k_user);
  EXPECT_TRUE(payload.link_token.empty());
}

TEST_P(SendUseCase, TheAuditLineTellsWhoWhatAndWhere) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  const otp::Payload payload = house_.send_and_take(std::move(request));
  const auto lines = house_.world.events();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].event_type, type::k_send);
  EXPECT_EQ(lines[0].user_id, k_user);
  EXPECT_EQ(lines[0].ip_address, k_ip);
  EXPECT_EQ(lines[0].country, "US");
  EXPECT_EQ(lines[0].purpose, "login");
  EXPECT_EQ(lines[0].detail, "sms");
  EXPECT_EQ(lines[0].created_at, k_start);
  EXPECT_EQ(lines[0].verification_id, payload.verification_id.text());
  EXPECT_EQ(lines[0].channel_hash.size(), 32U);
}

TEST_P(SendUseCase, NothingIsSentBeforeTheCoolDownEnds) {
  const otp::Payload first = house_.send_and_take();
  house_.world.clock.advance(Millis(29'999));
  const auto outcome = house_.send(house_.send_request());
  const auto& limited = std::get<otp::RateLimited>(outcome);
  EXPECT_EQ(limited.limit, "resend");
  EXPECT_EQ(limited.verdict.retry_after, Millis(1));
  EXPECT_TRUE(house_.take_all().empty());
  EXPECT_EQ(house_.events(type::k_limited)[0].detail, "resend");

  house_.world.clock.advance(Millis(1));
  const otp::Payload second = house_.send_and_take();
  EXPECT_EQ(second.verification_id, first.verification_id);
  EXPECT_THAT(house_.event_types(), UnorderedElementsAre("send", "limited", "send"));
}

TEST_P(SendUseCase, AFurtherCodeLeavesTheEarlierOneValidUnderTheFirstDeadline) {
  const otp::Payload first = house_.send_and_take();
  house_.world.clock.advance(Seconds(100));
  const auto outcome = house_.send(house_.send_request());
  const auto& again = std::get<otp::Sent>(outcome).answer;
  EXPECT_EQ(again.verification_id, first.verification_id);
  EXPECT_EQ(again.expires_in, Seconds(200));
  const otp::Payload second = std::move(house_.take_all().at(0));
  EXPECT_NE(first.code.reveal(), second.code.reveal());
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(first.code.reveal())));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(house_.verify(second.code.reveal())));
}

TEST_P(SendUseCase, TheThirdCodePushesTheFirstOut) {
  const otp::Payload first = house_.send_and_take();
  house_.world.clock.advance(Seconds(30));
  const otp::Payload second = house_.send_and_take();
  house_.world.clock.advance(Seconds(30));
  house_.send_and_take();
  EXPECT_TRUE(std::holds_alternative<otp::WrongCode>(house_.verify(first.code.reveal())));
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(second.code.reveal())));
}

TEST_P(SendUseCase, ResendSameRepeatsTheCodeAndTheLink) {
  house_.rules.policies["password_reset"].resend = otp::Resend::same_code;
  const auto request = [&] { return house_.send_request(k_phone, "password_reset"); };
  const otp::Payload first = house_.send_and_take(request());
  house_.world.clock.advance(Seconds(30));
  const otp::Payload second = house_.send_and_take(request());
  EXPECT_EQ(first.code.reveal(), second.code.reveal());
  EXPECT_EQ(first.link_token.reveal(), second.link_token.reveal());
  EXPECT_EQ(first.verification_id, second.verification_id);
  const auto outcome =
      house_.verify(house_.verify_request(second.code.reveal(), k_phone, "password_reset"));
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(outcome));
}

TEST_P(SendUseCase, TheSealedCodeIsForgottenWhenTheVerificationEnds) {
  house_.rules.policies["login"].resend = otp::Resend::same_code;
  const otp::Payload payload = house_.send_and_take();
  EXPECT_FALSE(house_.find(payload.verification_id)->sealed_code.empty());
  house_.verify(payload.code.reveal());
  EXPECT_TRUE(house_.find(payload.verification_id)->sealed_code.empty());
}

TEST_P(SendUseCase, ARecipientGetsFiveAnHourToTheMillisecond) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(refusal(house_.send_request()), "");
    house_.world.clock.advance(Seconds(301));
  }
  EXPECT_EQ(refusal(house_.send_request()), "recipient");
  house_.world.clock.set(k_start + std::chrono::hours(1) - Millis(1));
  EXPECT_EQ(refusal(house_.send_request()), "recipient");
  house_.world.clock.advance(Millis(1));
  EXPECT_EQ(refusal(house_.send_request()), "");
  EXPECT_EQ(refusal(house_.send_request()), "resend");
}

TEST_P(SendUseCase, AnAddressGetsAHundredAnHourToTheMillisecond) {
  send_to_others(99);
  house_.world.clock.advance(Seconds(1));
  send_to_others(1);
  EXPECT_EQ(refusal(house_.send_request()), "ip");
  house_.world.clock.set(k_start + std::chrono::hours(1) - Millis(1));
  EXPECT_EQ(refusal(house_.send_request()), "ip");
  house_.world.clock.advance(Millis(1));
  EXPECT_EQ(refusal(house_.send_request()), "");
}

TEST_P(SendUseCase, EverySpellingOfOneNetworkSharesOneLimit) {
  house_.rules.limits.ip_sends.max = 2;
  const auto from = [&](const std::string& ip, const std::string& phone) {
    otp::SendRequest request = house_.send_request(phone);
    request.client_ip = ip;
    return refusal(std::move(request));
  };
  EXPECT_EQ(from("2001:db8:1:2::1", "+14155550101"), "");
  EXPECT_EQ(from("2001:0DB8:0001:0002:ffff:0:0:1", "+14155550102"), "");
  EXPECT_EQ(from("2001:db8:1:2:3::4", "+14155550103"), "ip");
  EXPECT_EQ(from("2001:db8:1:3::1", "+14155550103"), "");
  EXPECT_EQ(from("::ffff:198.51.100.4", "+14155550104"), "");
  EXPECT_EQ(from("198.51.100.4", "+14155550105"), "");
  EXPECT_EQ(from("::ffff:c633:6404", "+14155550106"), "ip");
}

TEST_P(SendUseCase, AUserIsLimitedOverAllRecipients) {
  const auto request = [&](int i) {
    otp::SendRequest of_user = house_.send_request("+1415700" + std::to_string(1'000 + i));
    of_user.user_id = k_user;
    return of_user;
  };
  for (int i = 0; i < 10; ++i) ASSERT_EQ(refusal(request(i)), "");
  EXPECT_EQ(refusal(request(10)), "user");
  house_.world.clock.advance(std::chrono::hours(1) - Millis(1));
  EXPECT_EQ(refusal(request(11)), "user");
  house_.world.clock.advance(Millis(1));
  EXPECT_EQ(refusal(request(12)), "");
}

// A refusal by the address must leave no trace at the user or the recipient, one by the user none
// at the recipient: else strangers could lock people out.
TEST_P(SendUseCase, ARefusalChargesNobodyBehindIt) {
  house_.rules.limits.ip_sends.max = 1;
  house_.rules.limits.user_sends.max = 1;
  house_.rules.limits.recipient_sends.max = 1;
  const auto from = [&](const std::string& ip, const std::string& user, const std::string& phone) {
    otp::SendRequest request = house_.send_request(phone);
    request.client_ip = ip;
    request.user_id = user;
    return refusal(std::move(request));
  };
  const std::string other = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  ASSERT_EQ(from("198.51.100.1", "", "+14155550100"), "");
  EXPECT_EQ(from("198.51.100.1", k_user, k_phone), "ip");
  ASSERT_EQ(from("198.51.100.2", k_user, "+14155550101"), "");  // the user was not charged
  EXPECT_EQ(from("198.51.100.3", k_user, k_phone), "user");
  EXPECT_EQ(from("198.51.100.4", other, k_phone), "");  // nor was the recipient
  EXPECT_EQ(house_.take_all().size(), 3U);
  EXPECT_EQ(house_.events(type::k_limited).size(), 2U);
}

TEST_P(SendUseCase, ARefusalByTheRecipientHasChargedTheAddressAlready) {
  house_.rules.limits.ip_sends.max = 2;
  house_.send_and_take();
  EXPECT_EQ(refusal(house_.send_request()), "resend");
  EXPECT_EQ(refusal(house_.send_request("+14155550100")), "ip");
}

TEST_P(SendUseCase, AnExpiryIsWrittenOnceAndUnderItsOwnPurpose) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  const otp::Payload first = house_.send_and_take(std::move(request));
  house_.world.clock.advance(Seconds(300));
  otp::SendRequest second = house_.send_request(k_phone, "password_reset");
  house_.send_and_take(std::move(second));
  house_.world.clock.advance(Seconds(30));
  house_.send_and_take();
  const auto expired = house_.events(type::k_expired);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].verification_id, first.verification_id.text());
  EXPECT_EQ(expired[0].purpose, "login");
  EXPECT_EQ(expired[0].user_id, k_user);
  EXPECT_EQ(expired[0].ip_address, "");  // it was nobody's doing
  EXPECT_THAT(house_.event_types(), UnorderedElementsAre("send", "expired", "send", "send"));
}

TEST_P(SendUseCase, TwoPurposesAreTwoVerifications) {
  const otp::Payload login = house_.send_and_take();
  const otp::Payload reset = house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  EXPECT_NE(login.verification_id, reset.verification_id);
  EXPECT_FALSE(reset.link_token.empty());
  // A code opens what it was sent for, and nothing else.
  EXPECT_TRUE(std::holds_alternative<otp::WrongCode>(
      house_.verify(house_.verify_request(login.code.reveal(), k_phone, "password_reset"))));
  EXPECT_TRUE(std::holds_alternative<otp::Verified>(house_.verify(login.code.reveal())));
}

TEST_P(SendUseCase, AFullHashQueueRefusesBeforeAnythingIsWritten) {
  House small(GetParam(), {.threads = 1, .queue = 0});
  std::set<otp::Key> written;
  small.store.script = [&](Operation operation, const otp::Key& key, const otp::Effects&) {
    if (operation != Operation::load) written.insert(key);
    return Fault::none;
  };
  {
    const auto place = small.hashes.reserve();
    ASSERT_TRUE(place);
    const auto refused = small.try_send(small.send_request());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::overloaded);
    EXPECT_TRUE(written.empty());
    EXPECT_TRUE(small.world.events().empty());
  }
  EXPECT_EQ(small.send_and_take().code.size(), 6U);
}

TEST_P(SendUseCase, WhatTheStoreCannotWriteIsNotAnswered) {
  house_.store.script = [](Operation operation, const otp::Key&, const otp::Effects& effects) {
    return operation == Operation::commit && !effects.enqueue.empty() ? Fault::before : Fault::none;
  };
  EXPECT_EQ(house_.try_send(house_.send_request()).error().kind, Failure::unavailable);
  house_.store.script = {};
  EXPECT_TRUE(house_.take_all().empty());
  EXPECT_TRUE(house_.world.events().empty());
}

TEST_P(SendUseCase, NoCodeTokenOrAddressIsStored) {
  house_.rules.policies["password_reset"].resend = otp::Resend::same_code;
  std::string stored;
  house_.send(house_.send_request(k_phone, "password_reset"));
  const auto jobs = house_.world.take();
  ASSERT_EQ(jobs.size(), 1U);
  stored += jobs[0].sealed + jobs[0].key + house_.world.load(jobs[0].key).bytes;
  const auto opened = crypto::open(house_.keys, jobs[0].sealed, jobs[0].id);
  const auto payload = otp::decode<otp::Payload>(opened.value().reveal()).value();
  for (const audit::Event& line : house_.world.events()) {
    stored += line.channel_hash + line.verification_id + line.detail;
  }
  EXPECT_FALSE(stored.contains(payload.code.reveal()));
  EXPECT_FALSE(stored.contains(payload.link_token.reveal()));
  EXPECT_FALSE(stored.contains("4155552671"));
}

}  // namespace
}  // namespace otpd::usecase
