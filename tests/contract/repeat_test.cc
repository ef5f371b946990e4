// The same right answer twice: heard again by who gave it, and by nobody else.
#include "house.h"

namespace otpd::usecase {
namespace {

using storage::await;
using ::testing::UnorderedElementsAre;

class RepeatUseCase : public UseCase {
 protected:
  otp::VerifyOutcome ask(const std::string& code, const std::string& caller = "",
                         const std::string& ip = k_ip) {
    otp::VerifyRequest request = house_.verify_request(code);
    request.caller = caller;
    request.client_ip = ip;
    return house_.verify(std::move(request));
  }
  static std::string token_of(const otp::VerifyOutcome& outcome) {
    const auto* yes = std::get_if<otp::Verified>(&outcome);
    return yes == nullptr ? "" : std::string(yes->session.reveal());
  }
  std::string send() { return std::string(house_.send_and_take().code.reveal()); }
};
INSTANTIATE_TEST_SUITE_P(Backends, RepeatUseCase, k_houses, storage::backend_name);

TEST_P(RepeatUseCase, TheSameCallerHearsTheSameForTenSeconds) {
  const std::string code = send();
  const auto first = ask(code);
  house_.world.clock.advance(Millis(9'999));
  const auto second = ask(code);
  const auto& yes = std::get<otp::Verified>(first);
  const auto& again = std::get<otp::Verified>(second);
  EXPECT_FALSE(yes.repeated);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.session.reveal(), yes.session.reveal());
  EXPECT_EQ(again.session_expires_in, yes.session_expires_in);
  EXPECT_EQ(again.id, yes.id);
  EXPECT_EQ(again.user_id, yes.user_id);
  EXPECT_EQ(await(house_.sessions.list(yes.user_id)).value().size(), 1U);
  EXPECT_THAT(house_.event_types(),
              UnorderedElementsAre("send", "verify_success", "session_opened", "verify_repeat"));
  house_.world.clock.advance(Millis(1));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code)));
}

TEST_P(RepeatUseCase, ACallerWithAKeyIsKnownByItFromAnyAddress) {
  const std::string code = send();
  const std::string token = token_of(ask(code, "shop"));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code, "bank")));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code)));
  EXPECT_EQ(token_of(ask(code, "shop", "198.51.100.1")), token);
}

TEST_P(RepeatUseCase, AnotherAddressIsAnotherCaller) {
  const std::string code = send();
  const std::string token = token_of(ask(code));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code, "", "198.51.100.1")));
  EXPECT_EQ(token_of(ask(code)), token);
}

TEST_P(RepeatUseCase, OneWrongCodeEndsIt) {
  const std::string code = send();
  ask(code);
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(other_code(code))));
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code)));
}

TEST_P(RepeatUseCase, ASessionThatHasEndedIsNotHandedOutAgain) {
  const std::string code = send();
  const auto first = ask(code);
  const std::string user = std::get<otp::Verified>(first).user_id;
  EXPECT_EQ(await(house_.sessions.log_out(user, k_ip)).value(), 1U);
  EXPECT_TRUE(std::holds_alternative<otp::Gone>(ask(code)));
  EXPECT_TRUE(await(house_.sessions.list(user)).value().empty());
}

TEST_P(RepeatUseCase, TheRecordHoldsTheSessionSealed) {
  const otp::Payload payload = house_.send_and_take();
  const std::string token = token_of(house_.verify(payload.code.reveal()));
  const auto record = house_.world.load(otp::recipient_key(payload.verification_id.recipient_hash));
  const auto parsed = otp::SessionToken::parse(token).value();
  EXPECT_FALSE(record.bytes.contains(parsed.secret.reveal()));
  EXPECT_FALSE(record.bytes.contains(token));
  EXPECT_FALSE(record.bytes.contains(payload.code.reveal()));
}

TEST_P(RepeatUseCase, ARepeatOfAGuessBetweenTwoKeyRotationsIsReadable) {
  const std::string code = send();
  const std::string token = token_of(ask(code));
  house_.keys.rotate(house_.world.clock.now(), house_.random);
  EXPECT_EQ(token_of(ask(code)), token);
}

}  // namespace
}  // namespace otpd::usecase
