// Verifying: each outcome, what it costs, and what it leaves behind.
#include "house.h"
#include "otp/code.h"

namespace otpd::usecase {
namespace {

using storage::await;
using storage::k_start;
using ::testing::UnorderedElementsAre;

class VerifyUseCase : public UseCase {
 protected:
  std::uint32_t wrong(const otp::VerifyOutcome& outcome) {
    const auto* answer = std::get_if<otp::WrongCode>(&outcome);
    EXPECT_NE(answer, nullptr);
    return answer == nullptr ? 99 : answer->attempts_remaining;
  }
  template <class Outcome>
  static bool is(const otp::VerifyOutcome& outcome) {
    return std::holds_alternative<Outcome>(outcome);
  }
  // The right code, from another address.
  otp::VerifyOutcome verify_from(const std::string& ip, const otp::Payload& payload) {
    otp::VerifyRequest request = house_.verify_request(payload.code.reveal());
    request.client_ip = ip;
    return house_.verify(std::move(request));
  }
  otp::VerifyOutcome verify_link(const otp::LinkToken& token, const std::string& ip = k_ip) {
    return await(house_.verifier.verify_link(token, "", ip)).value();
  }
  std::uint32_t attempts_used(const otp::Payload& payload) {
    return house_.find(payload.verification_id)->attempts_used;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, VerifyUseCase, k_houses, storage::backend_name);

TEST_P(VerifyUseCase, TheRightCodeOpensOneSession) {
  const otp::Payload payload = house_.send_and_take();
  const auto outcome = house_.verify(payload.code.reveal());
  const auto& verified = std::get<otp::Verified>(outcome);
  EXPECT_EQ(verified.id, payload.verification_id);
  EXPECT_EQ(verified.session_expires_in, Seconds(86'400));
  const auto token = otp::SessionToken::parse(verified.session.reveal());
  ASSERT_TRUE(token);
  const auto session = await(house_.sessions.introspect(*token, k_ip)).value();
  ASSERT_TRUE(session);
  EXPECT_EQ(session->user_id, verified.user_id);
  EXPECT_EQ(session->purpose, "login");
  EXPECT_EQ(house_.status(payload.verification_id), "approved");
  EXPECT_TRUE(is<otp::Gone>(verify_from("198.51.100.1", payload)));
  EXPECT_THAT(house_.event_types(),
              UnorderedElementsAre("send", "verify_success", "session_opened"));
}

TEST_P(VerifyUseCase, TheCallersUserIsTheSessionsUser) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  const otp::Payload payload = house_.send_and_take(std::move(request));
  EXPECT_EQ(std::get<otp::Verified>(house_.verify(payload.code.reveal())).user_id, k_user);
}

TEST_P(VerifyUseCase, WithoutAUserOneRecipientIsAlwaysTheSameUser) {
  const auto user_of = [&](const std::string& phone) {
    const otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    return std::get<otp::Verified>(
               house_.verify(house_.verify_request(payload.code.reveal(), phone)))
        .user_id;
  };
  const std::string first = user_of(k_phone);
  EXPECT_EQ(user_of(k_phone), first);
  EXPECT_NE(user_of("+14155550100"), first);
}

TEST_P(VerifyUseCase, ThreeWrongCodesPoisonTheRightOne) {
  const otp::Payload payload = house_.send_and_take();
  const std::string bad = other_code(payload.code.reveal());
  EXPECT_EQ(wrong(house_.verify(bad)), 2U);
  EXPECT_EQ(wrong(house_.verify(bad)), 1U);
  EXPECT_EQ(wrong(house_.verify(bad)), 0U);
  EXPECT_TRUE(is<otp::Exhausted>(house_.verify(payload.code.reveal())));
  EXPECT_EQ(house_.status(payload.verification_id), "exhausted");
  EXPECT_THAT(house_.event_types(), UnorderedElementsAre("send", "verify_fail", "verify_fail",
                                                         "verify_fail", "exhausted"));
}

TEST_P(VerifyUseCase, EveryLineOfAVerificationTellsWhoseItIs) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  const otp::Payload payload = house_.send_and_take(std::move(request));
  house_.verify(other_code(payload.code.reveal()));
  house_.verify(payload.code.reveal());
  for (const std::string_view line : {type::k_send, type::k_verify_fail, type::k_verify_success}) {
    const auto lines = house_.events(line);
    ASSERT_EQ(lines.size(), 1U) << line;
    EXPECT_EQ(lines[0].verification_id, payload.verification_id.text()) << line;
    EXPECT_EQ(lines[0].user_id, k_user) << line;
    EXPECT_EQ(lines[0].ip_address, k_ip) << line;
    EXPECT_EQ(lines[0].country, "US") << line;
    EXPECT_EQ(lines[0].purpose, "login") << line;
    EXPECT_EQ(lines[0].channel_hash, house_.events(type::k_send)[0].channel_hash) << line;
  }
}

TEST_P(VerifyUseCase, TheThirdAttemptMayStillBeRight) {
  const otp::Payload payload = house_.send_and_take();
  house_.verify(other_code(payload.code.reveal()));
  house_.verify(other_code(payload.code.reveal()));
  EXPECT_TRUE(is<otp::Verified>(house_.verify(payload.code.reveal())));
}

TEST_P(VerifyUseCase, AFurtherCodeBuysNoFurtherGuess) {
  const otp::Payload first = house_.send_and_take();
  house_.verify(other_code(first.code.reveal()));
  house_.verify(other_code(first.code.reveal()));
  house_.world.clock.advance(Seconds(30));
  const auto outcome = house_.send(house_.send_request());
  EXPECT_EQ(std::get<otp::Sent>(outcome).answer.attempts_remaining, 1U);
}

TEST_P(VerifyUseCase, GuessesAreLimitedPerRecipientOverAllCodes) {
  house_.rules.limits.recipient_guesses = {4, std::chrono::hours(1)};
  const auto guess_thrice = [&] {
    const otp::Payload payload = house_.send_and_take();
    for (int i = 0; i < 3; ++i) house_.verify(other_code(payload.code.reveal()));
  };
  guess_thrice();
  house_.world.clock.advance(Seconds(30));
  const otp::Payload payload = house_.send_and_take();
  house_.verify(other_code(payload.code.reveal()));
  const auto outcome = house_.verify(payload.code.reveal());
  const auto& limited = std::get<otp::RateLimited>(outcome);
  EXPECT_EQ(limited.limit, "guesses");
  EXPECT_EQ(limited.verdict.retry_after, std::chrono::hours(1) - Seconds(30));
  EXPECT_EQ(attempts_used(payload), 1U);
  EXPECT_EQ(house_.events(type::k_limited)[0].detail, "guesses");
}

TEST_P(VerifyUseCase, ACodeWorksUntilItsLastMillisecond) {
  const otp::Payload payload = house_.send_and_take();
  const otp::Payload other = house_.send_and_take(house_.send_request("+14155550100"));
  house_.world.clock.advance(Millis(299'999));
  EXPECT_TRUE(is<otp::Verified>(house_.verify(payload.code.reveal())));
  house_.world.clock.advance(Millis(1));
  EXPECT_TRUE(
      is<otp::Gone>(house_.verify(house_.verify_request(other.code.reveal(), "+14155550100"))));
  EXPECT_EQ(house_.status(other.verification_id), "expired");
}

// Writing takes time, by which it would be heard that there was a code.
TEST_P(VerifyUseCase, AnExpiredCodeIsNotToldBecauseSomebodyTriesIt) {
  const otp::Payload payload = house_.send_and_take();
  house_.world.clock.advance(Seconds(300));
  int written = 0;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    if (operation != Operation::load) ++written;
    return Fault::none;
  };
  EXPECT_TRUE(is<otp::Gone>(house_.verify(payload.code.reveal())));
  EXPECT_EQ(written, 0);
  house_.store.script = nullptr;
  house_.send_and_take();
  house_.verify("000000");
  const auto expired = house_.events(type::k_expired);
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].verification_id, payload.verification_id.text());
}

TEST_P(VerifyUseCase, WrongCodesOfOneAddressAreLimitedOverAllRecipients) {
  house_.rules.limits.ip_guesses = {2, std::chrono::hours(1)};
  const auto guess = [&](const std::string& phone, const std::string& ip, bool right = false) {
    otp::Payload payload = house_.send_and_take(house_.send_request(phone));
    const std::string code(payload.code.reveal());
    auto request = house_.verify_request(right ? code : other_code(code), phone);
    request.limited_ip = ip;
    return std::pair(house_.verify(std::move(request)), std::move(payload));
  };
  const std::string ip = "2001:db8:1:2::1";
  EXPECT_TRUE(is<otp::WrongCode>(guess("+14155550100", ip).first));
  EXPECT_TRUE(is<otp::Verified>(guess("+14155550101", ip, true).first));
  EXPECT_TRUE(is<otp::WrongCode>(guess("+14155550102", ip).first));
  house_.world.clock.advance(Seconds(10));
  const auto [refused, payload] = guess("+14155550103", "2001:db8:1:2::2", true);
  const auto& limited = std::get<otp::RateLimited>(refused);
  EXPECT_EQ(limited.limit, "ip_guesses");
  EXPECT_EQ(limited.verdict.retry_after, std::chrono::hours(1) - Seconds(10));
  EXPECT_EQ(attempts_used(payload), 0U);
  EXPECT_EQ(house_.events(type::k_limited)[0].detail, "ip_guesses");
  EXPECT_TRUE(is<otp::WrongCode>(guess("+14155550104", "2001:db8:1:3::1").first));
  EXPECT_TRUE(is<otp::WrongCode>(guess("+14155550105", {}).first));  // a server for many
  house_.world.clock.advance(std::chrono::hours(1) - Seconds(10));
  EXPECT_TRUE(is<otp::WrongCode>(guess("+14155550106", ip).first));
}

TEST_P(VerifyUseCase, OneAnswerForEverythingThatIsNoLongerThere) {
  EXPECT_TRUE(is<otp::Gone>(house_.verify("123456")));  // never sent
  const otp::Payload payload = house_.send_and_take();
  ASSERT_TRUE(await(house_.verifications.cancel(payload.verification_id, k_ip)).value());
  EXPECT_TRUE(is<otp::Gone>(house_.verify(payload.code.reveal())));
  EXPECT_EQ(house_.events(type::k_verify_fail).size(), 0U);
}

TEST_P(VerifyUseCase, ACodeOfAnotherLengthCostsNoAttempt) {
  const otp::Payload payload = house_.send_and_take();
  for (const std::string bad : {"", "12345", "1234567"}) {
    EXPECT_EQ(std::get<otp::BadCode>(house_.verify(bad)).digits, 6U);
  }
  EXPECT_EQ(attempts_used(payload), 0U);
}

TEST_P(VerifyUseCase, AnotherRecipientsCodeIsWorthNothing) {
  const otp::Payload mine = house_.send_and_take();
  const otp::Payload theirs = house_.send_and_take(house_.send_request("+14155550100"));
  otp::VerifyRequest request = house_.verify_request(theirs.code.reveal());
  request.verification_id = theirs.verification_id.unique;
  EXPECT_TRUE(is<otp::Gone>(house_.verify(std::move(request))));
  EXPECT_EQ(attempts_used(mine), 0U);
  EXPECT_EQ(attempts_used(theirs), 0U);
}

TEST_P(VerifyUseCase, ANamedVerificationIsTheOneThatIsChecked) {
  const otp::Payload payload = house_.send_and_take();
  otp::VerifyRequest request = house_.verify_request(payload.code.reveal());
  request.verification_id = std::string(otp::k_unique_bytes, 'x');
  EXPECT_TRUE(is<otp::Gone>(house_.verify(std::move(request))));
  request = house_.verify_request(payload.code.reveal());
  request.verification_id = payload.verification_id.unique;
  EXPECT_TRUE(is<otp::Verified>(house_.verify(std::move(request))));
}

TEST_P(VerifyUseCase, ATransactionCodeConfirmsThatTransactionOnly) {
  const otp::Context paid{"12.50", "EUR", "Bakery"};
  otp::SendRequest send = house_.send_request(k_phone, "transaction");
  send.context = paid;
  const otp::Payload payload = house_.send_and_take(std::move(send));
  EXPECT_EQ(payload.context.payee, "Bakery");
  for (const otp::Context& other :
       {otp::Context{"12.51", "EUR", "Bakery"}, otp::Context{"12.50", "USD", "Bakery"},
        otp::Context{"12.50", "EUR", "Baker"}, otp::Context{}}) {
    otp::VerifyRequest request =
        house_.verify_request(payload.code.reveal(), k_phone, "transaction");
    request.context = other;
    EXPECT_TRUE(is<otp::Gone>(house_.verify(std::move(request))));
  }
  EXPECT_EQ(attempts_used(payload), 0U);
  otp::VerifyRequest request = house_.verify_request(payload.code.reveal(), k_phone, "transaction");
  request.context = paid;
  const auto outcome = house_.verify(std::move(request));
  EXPECT_TRUE(std::get<otp::Verified>(outcome).session.empty());
  EXPECT_TRUE(house_.events(type::k_session_opened).empty());
}

TEST_P(VerifyUseCase, ALinkWorksOnceAndWithoutAttempts) {
  const otp::Payload payload = house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  const auto token = otp::LinkToken::parse(payload.link_token.reveal());
  ASSERT_TRUE(token);
  otp::LinkToken forged{token->id, Secret(std::string(otp::k_link_secret_bytes, 'x'))};
  EXPECT_TRUE(is<otp::Gone>(verify_link(forged)));
  EXPECT_EQ(attempts_used(payload), 0U);
  const auto outcome = verify_link(*token);
  EXPECT_EQ(std::get<otp::Verified>(outcome).id, payload.verification_id);
  EXPECT_TRUE(is<otp::Gone>(verify_link(*token, "198.51.100.1")));
  EXPECT_TRUE(std::get<otp::Verified>(verify_link(*token)).repeated);
  house_.world.clock.advance(Seconds(10));
  EXPECT_TRUE(is<otp::Gone>(verify_link(*token)));
  EXPECT_TRUE(is<otp::Gone>(
      house_.verify(house_.verify_request(payload.code.reveal(), k_phone, "password_reset"))));
  const auto lines = house_.events(type::k_verify_success);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].purpose, "password_reset");
  EXPECT_EQ(lines[0].country, "US");
}

TEST_P(VerifyUseCase, ALinkDiesWithItsDeadline) {
  const otp::Payload payload = house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  const auto token = otp::LinkToken::parse(payload.link_token.reveal());
  house_.world.clock.advance(Seconds(1'800));
  EXPECT_TRUE(is<otp::Gone>(verify_link(*token)));
  EXPECT_EQ(house_.events(type::k_expired).size(), 1U);
}

TEST_P(VerifyUseCase, AFullHashQueueCostsNoAttempt) {
  House small(GetParam(), {.threads = 1, .queue = 0});
  const otp::Payload payload = small.send_and_take();
  {
    const auto place = small.hashes.reserve();
    ASSERT_TRUE(place);
    const auto refused = small.try_verify(small.verify_request(payload.code.reveal()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::overloaded);
  }
  EXPECT_EQ(small.find(payload.verification_id)->attempts_used, 0U);
  EXPECT_TRUE(is<otp::Verified>(small.verify(payload.code.reveal())));
}

TEST_P(VerifyUseCase, OtherHashParametersDoNotBreakLiveCodes) {
  house_.rules.hash = k_small_argon;
  const otp::Payload first = house_.send_and_take();
  EXPECT_EQ(house_.hashed(), 1);
  house_.rules.hash = k_cheap;
  house_.world.clock.advance(Seconds(30));
  const otp::Payload second = house_.send_and_take();  // of the same verification, so as it was
  EXPECT_EQ(house_.hashed(), 2);
  EXPECT_TRUE(is<otp::Verified>(house_.verify(first.code.reveal())));
  EXPECT_EQ(house_.hashed(), 3);

  const otp::Payload third = house_.send_and_take();
  EXPECT_EQ(house_.hashed(), 3);
  house_.rules.hash = {crypto::HashParams::Algorithm::argon2id, 16, 2};
  EXPECT_TRUE(is<otp::Verified>(house_.verify(third.code.reveal())));
  EXPECT_EQ(house_.hashed(), 3);
}

TEST_P(VerifyUseCase, NewKeysDoNotBreakLiveCodesOrLinks) {
  house_.rules.policies["password_reset"].resend = otp::Resend::same_code;
  const otp::Payload first = house_.send_and_take();
  const otp::Payload reset = house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  house_.keys.rotate(house_.world.clock.now(), house_.random);
  house_.world.clock.advance(Seconds(30));
  const otp::Payload second = house_.send_and_take();
  EXPECT_EQ(second.verification_id, first.verification_id);
  const otp::Payload repeated =
      house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  EXPECT_EQ(repeated.code.reveal(), reset.code.reveal());
  EXPECT_TRUE(is<otp::Verified>(house_.verify(first.code.reveal())));
  const auto token = otp::LinkToken::parse(reset.link_token.reveal());
  EXPECT_TRUE(is<otp::Verified>(verify_link(*token)));
  const otp::Payload third = house_.send_and_take();
  EXPECT_EQ(house_.find(third.verification_id)->pepper_id, house_.keys.active().id);
  EXPECT_TRUE(is<otp::Verified>(house_.verify(third.code.reveal())));
}

TEST_P(VerifyUseCase, AnAttemptIsTakenBeforeTheHashIsKnown) {
  const otp::Payload payload = house_.send_and_take();
  // The settlement is lost: the process died after hashing.
  int commits = 0;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    return operation != Operation::load && ++commits > 1 ? Fault::before : Fault::none;
  };
  EXPECT_FALSE(house_.try_verify(house_.verify_request(payload.code.reveal())));
  house_.store.script = {};
  EXPECT_EQ(attempts_used(payload), 1U);
  EXPECT_TRUE(is<otp::Verified>(house_.verify(payload.code.reveal())));
}

TEST_P(VerifyUseCase, CancelEndsItOnceAndTellsWhoseItWas) {
  otp::SendRequest request = house_.send_request();
  request.user_id = k_user;
  const otp::Payload payload = house_.send_and_take(std::move(request));
  for (int i = 0; i < 2; ++i) {
    const auto found = await(house_.verifications.cancel(payload.verification_id, k_ip)).value();
    ASSERT_TRUE(found);
    EXPECT_EQ(otp::status_name(*found, house_.world.clock.now()), "canceled");
  }
  const auto lines = house_.events(type::k_canceled);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].user_id, k_user);
  EXPECT_EQ(lines[0].purpose, "login");
  EXPECT_EQ(lines[0].country, "US");
  EXPECT_EQ(lines[0].ip_address, k_ip);
}

TEST_P(VerifyUseCase, AnApprovedOneCannotBeCanceled) {
  const otp::Payload payload = house_.send_and_take();
  house_.verify(payload.code.reveal());
  const auto found = await(house_.verifications.cancel(payload.verification_id, k_ip)).value();
  EXPECT_EQ(otp::status_name(*found, house_.world.clock.now()), "approved");
  EXPECT_TRUE(house_.events(type::k_canceled).empty());
}

TEST_P(VerifyUseCase, AnUnknownIdIsNotThere) {
  const otp::VerificationId nobody{std::string(16, 'a'), std::string(12, 'b')};
  EXPECT_FALSE(house_.find(nobody));
  EXPECT_FALSE(await(house_.verifications.cancel(nobody, k_ip)).value());
  EXPECT_TRUE(house_.world.events().empty());
}

}  // namespace
}  // namespace otpd::usecase
