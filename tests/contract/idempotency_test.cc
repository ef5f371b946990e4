// Idempotency keys: a repeat is answered as the first was, and nothing is sent twice.
#include "house.h"

namespace otpd::usecase {
namespace {

using ::testing::UnorderedElementsAre;

class IdempotentSend : public UseCase {
 protected:
  otp::SendRequest request(const std::string& key = "key-1", const std::string& phone = k_phone) {
    otp::SendRequest under_key = house_.send_request(phone);
    under_key.idempotency_key = key;
    under_key.caller = "shop";
    return under_key;
  }
  // Fails the n-th write (from 1) of the next send.
  void fail_write(int n, Fault fault) {
    house_.store.script = [n, fault, writes = 0](Operation operation, const otp::Key&,
                                                 const otp::Effects&) mutable {
      return operation == Operation::commit && ++writes == n ? fault : Fault::none;
    };
  }
  // Fails that write and all that follow: the process died there.
  void die_at_write(int n) {
    house_.store.script = [n, writes = 0](Operation operation, const otp::Key&,
                                          const otp::Effects&) mutable {
      return operation != Operation::load && ++writes >= n ? Fault::before : Fault::none;
    };
  }
  otp::Accepted accepted(otp::SendRequest send) {
    const auto outcome = house_.send(std::move(send));
    EXPECT_TRUE(std::holds_alternative<otp::Sent>(outcome));
    return std::get<otp::Sent>(outcome).answer;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, IdempotentSend, k_houses, storage::backend_name);

// The writes of one send under a key, in their order.
constexpr int k_claim = 1;
constexpr int k_charge_ip = 2;
constexpr int k_admit = 3;
constexpr int k_answer = 4;

TEST_P(IdempotentSend, ARepeatAnswersTheSameAndSendsNothing) {
  const otp::Accepted first = accepted(request());
  house_.world.clock.advance(Seconds(100));
  const auto outcome = house_.send(request());
  const auto& again = std::get<otp::Sent>(outcome);
  EXPECT_EQ(again.answer.verification_id, first.verification_id);
  EXPECT_EQ(again.answer.expires_in, first.expires_in);
  EXPECT_EQ(again.answer.attempts_remaining, first.attempts_remaining);
  EXPECT_EQ(again.answer.resend_after, first.resend_after);
  EXPECT_EQ(again.verdict.remaining, 4U);  // the repeat was not charged
  EXPECT_EQ(house_.take_all().size(), 1U);
  EXPECT_THAT(house_.event_types(), UnorderedElementsAre("send"));
}

TEST_P(IdempotentSend, ARepeatIsRememberedForADayAndNoLonger) {
  const otp::Accepted first = accepted(request());
  house_.world.clock.advance(std::chrono::hours(24) - Millis(1));
  EXPECT_EQ(accepted(request()).verification_id, first.verification_id);
  house_.world.clock.advance(Millis(1));
  EXPECT_NE(accepted(request()).verification_id, first.verification_id);
  EXPECT_EQ(house_.take_all().size(), 2U);
}

TEST_P(IdempotentSend, AnyOtherRequestUnderTheKeyIsRefused) {
  accepted(request());
  std::vector<otp::SendRequest> others;
  others.push_back(request("key-1", "+14155550100"));
  others.push_back(request());
  others.back().channel = "voice";
  others.push_back(request());
  others.back().purpose = "password_reset";
  others.push_back(request());
  others.back().user_id = k_user;
  others.push_back(request());
  others.back().locale = "fr";
  others.push_back(request());
  others.back().context = {"1", "EUR", "Bakery"};
  for (otp::SendRequest& other : others) {
    EXPECT_TRUE(std::holds_alternative<otp::KeyReused>(house_.send(std::move(other))));
  }
  EXPECT_EQ(house_.take_all().size(), 1U);
}

TEST_P(IdempotentSend, EachCallerHasKeysOfItsOwn) {
  accepted(request());
  otp::SendRequest other = request("key-1", "+14155550100");
  other.caller = "bank";
  accepted(std::move(other));
  EXPECT_EQ(house_.take_all().size(), 2U);
}

TEST_P(IdempotentSend, WithoutAnApiKeyEachAddressHasKeysOfItsOwn) {
  for (const char* ip : {"192.0.2.1", "192.0.2.2"}) {
    otp::SendRequest send =
        request("key-1", ip == std::string("192.0.2.1") ? k_phone : "+14155550100");
    send.caller.clear();
    send.client_ip = ip;
    accepted(std::move(send));
  }
  EXPECT_EQ(house_.take_all().size(), 2U);
}

TEST_P(IdempotentSend, WhileTheFirstRunsTheSecondIsToldSo) {
  die_at_write(k_charge_ip);
  EXPECT_FALSE(house_.try_send(request()));
  house_.store.script = {};
  house_.world.clock.advance(otp::k_claim_lives - Millis(1));
  EXPECT_TRUE(std::holds_alternative<otp::InProgress>(house_.send(request())));
  EXPECT_TRUE(house_.take_all().empty());
  house_.world.clock.advance(Millis(1));
  accepted(request());
  EXPECT_EQ(house_.take_all().size(), 1U);
}

// Whatever write the process dies before, the retry sends once.
TEST_P(IdempotentSend, ACrashAnywhereHealsItselfOnTheRetry) {
  for (const int dies_at : {k_claim, k_charge_ip, k_admit, k_answer}) {
    const std::string phone = "+1415555010" + std::to_string(dies_at);
    const std::string key = "crash-" + std::to_string(dies_at);
    die_at_write(dies_at);
    EXPECT_FALSE(house_.try_send(request(key, phone)));
    house_.store.script = {};
    house_.world.clock.advance(otp::k_claim_lives);
    const otp::Accepted healed = accepted(request(key, phone));
    EXPECT_EQ(accepted(request(key, phone)).verification_id, healed.verification_id);
    EXPECT_EQ(house_.take_all().size(), 1U) << "died at write " << dies_at;
  }
  EXPECT_EQ(house_.events(type::k_send).size(), 4U);
}

// The store wrote the admission but its answer was lost: the caller sees 503 and tries again.
TEST_P(IdempotentSend, AnAdmissionWhoseAnswerWasLostIsNotMadeTwice) {
  fail_write(k_admit, Fault::after);
  EXPECT_FALSE(house_.try_send(request()));
  house_.store.script = {};
  const otp::Accepted again = accepted(request());
  const auto payloads = house_.take_all();
  ASSERT_EQ(payloads.size(), 1U);
  EXPECT_EQ(payloads[0].verification_id, again.verification_id);
  EXPECT_EQ(house_.events(type::k_send).size(), 1U);
}

TEST_P(IdempotentSend, AfterAFailureTheSameRequestIsServedAtOnce) {
  fail_write(k_charge_ip, Fault::before);
  EXPECT_FALSE(house_.try_send(request()));
  house_.store.script = {};
  accepted(request());
  EXPECT_EQ(house_.take_all().size(), 1U);
}

TEST_P(IdempotentSend, ARefusalIsNotRemembered) {
  house_.send_and_take();
  EXPECT_TRUE(std::holds_alternative<otp::RateLimited>(house_.send(request())));
  house_.world.clock.advance(Seconds(30));
  accepted(request());
  EXPECT_EQ(house_.take_all().size(), 1U);
  // Nor does it bind the key to the request that was refused.
  EXPECT_TRUE(std::holds_alternative<otp::RateLimited>(house_.send(request("key-2"))));
  accepted(request("key-2", "+14155550100"));
}

// A try that hung for longer than a claim lives comes back when its successor was answered.
TEST_P(IdempotentSend, ALatecomerThatIsRefusedDoesNotEraseTheAnswer) {
  house_.rules.limits.ip_sends.max = 1;
  otp::Accepted answer;
  house_.store.script = [&, writes = 0](Operation operation, const otp::Key&,
                                        const otp::Effects&) mutable {
    if (operation == Operation::commit && ++writes == k_charge_ip) {
      house_.world.clock.advance(otp::k_claim_lives);
      answer = accepted(request());
    }
    return Fault::none;
  };
  EXPECT_TRUE(std::holds_alternative<otp::RateLimited>(house_.send(request())));
  EXPECT_EQ(accepted(request()).verification_id, answer.verification_id);
  EXPECT_EQ(house_.take_all().size(), 1U);
}

}  // namespace
}  // namespace otpd::usecase
