#include "otp/verification.h"

#include <gtest/gtest.h>

#include "otp/code.h"
#include "otp/test_recipient_fixture.h"

namespace otpd::otp {
namespace {

using testing_recipient::after;
using testing_recipient::Fixture;
using testing_recipient::k_start;

TEST(Verification, TheRightCodeWorksOnce) {
  Fixture f;
  ASSERT_TRUE(f.send(k_start));
  EXPECT_TRUE(std::holds_alternative<Approved>(f.verify(after(Millis(1)), "digest 1")));
  EXPECT_TRUE(std::holds_alternative<Gone>(f.verify(after(Millis(2)), "digest 1")));
  EXPECT_EQ(status_name(f.state.verifications[0], after(Millis(2))), "approved");
  EXPECT_TRUE(f.state.verifications[0].codes.empty());
}

// Three guesses are hashed at once, and the wrong ones are settled first.
TEST(Verification, AGuessThatWasReservedIsNotPoisonedByOthers) {
  Fixture f;
  ASSERT_TRUE(f.send(k_start));
  const TimePoint now = after(Millis(1));
  const auto id = std::get<Reserved>(f.guess(now)).verification_id;
  f.guess(now);
  f.guess(now);
  EXPECT_TRUE(std::holds_alternative<Exhausted>(f.guess(now)));
  for (int i = 0; i < 2; ++i) {
    const auto wrong = std::get<Wrong>(settle(f.state, id, "x", {}, now));
    EXPECT_EQ(wrong.attempts_remaining, 0U);
    EXPECT_FALSE(wrong.poisoned);
  }
  EXPECT_TRUE(std::holds_alternative<Exhausted>(f.guess(now)));
  RecipientState other = f.state;
  EXPECT_TRUE(std::holds_alternative<Approved>(settle(f.state, id, "digest 1", {}, now)));
  EXPECT_TRUE(std::get<Wrong>(settle(other, id, "x", {}, now)).poisoned);
}

TEST(Verification, TheThirdWrongCodePoisonsIt) {
  Fixture f;
  f.send(k_start);
  EXPECT_EQ(std::get<Wrong>(f.verify(after(Millis(1)), "x")).attempts_remaining, 2U);
  EXPECT_EQ(std::get<Wrong>(f.verify(after(Millis(2)), "x")).attempts_remaining, 1U);
  const auto last = std::get<Wrong>(f.verify(after(Millis(3)), "x"));
  EXPECT_EQ(last.attempts_remaining, 0U);
  EXPECT_TRUE(last.poisoned);
  EXPECT_TRUE(std::holds_alternative<Exhausted>(f.guess(after(Millis(4)))));
  EXPECT_EQ(status_name(f.state.verifications[0], after(Millis(4))), "exhausted");
  // And when its time is over, it is like any other that is gone.
  EXPECT_TRUE(std::holds_alternative<Gone>(f.guess(after(f.policy.lifetime))));
}

TEST(Verification, TheThirdAttemptMayStillBeRight) {
  Fixture f;
  f.send(k_start);
  f.verify(after(Millis(1)), "x");
  f.verify(after(Millis(2)), "x");
  EXPECT_TRUE(std::holds_alternative<Approved>(f.verify(after(Millis(3)), "digest 1")));
}

TEST(Verification, AttemptsAreTakenBeforeAnythingIsHashed) {
  Fixture f;
  f.send(k_start);
  int reserved = 0;
  int exhausted = 0;
  for (int i = 0; i < 200; ++i) {
    const auto outcome = f.guess(after(Millis(1)));
    reserved += std::holds_alternative<Reserved>(outcome) ? 1 : 0;
    exhausted += std::holds_alternative<Exhausted>(outcome) ? 1 : 0;
  }
  EXPECT_EQ(reserved, 3);
  EXPECT_EQ(exhausted, 197);
}

TEST(Verification, LivesToItsLastMillisecond) {
  Fixture f;
  f.send(k_start);
  const TimePoint end = after(f.policy.lifetime);
  EXPECT_TRUE(std::holds_alternative<Reserved>(f.guess(end - Millis(1))));
  EXPECT_EQ(status_name(f.state.verifications[0], end - Millis(1)), "queued");
  EXPECT_EQ(status_name(f.state.verifications[0], end), "expired");
  RecipientState copy = f.state;
  EXPECT_EQ(expire(copy, end).size(), 1U);
  EXPECT_EQ(expire(copy, end).size(), 0U);  // told once
  EXPECT_TRUE(std::holds_alternative<Gone>(f.guess(end)));
  // A guess reserved in time and settled too late is too late.
  Fixture late;
  late.send(k_start);
  const auto attempt = std::get<Reserved>(late.guess(end - Millis(1)));
  EXPECT_TRUE(std::holds_alternative<Gone>(
      settle(late.state, attempt.verification_id, "digest 1", {}, end)));
}

TEST(Verification, AClockThatStepsBackDoesNotLengthenALife) {
  Fixture f;
  f.send(k_start);
  const TimePoint back = k_start - std::chrono::hours(5);
  ASSERT_TRUE(std::holds_alternative<Reserved>(f.guess(back)));
  EXPECT_EQ(f.state.verifications[0].expires_at, back + f.policy.lifetime);
  EXPECT_TRUE(std::holds_alternative<Gone>(f.guess(back + f.policy.lifetime)));
}

TEST(Resend, WaitsForTheCoolDownToTheMillisecond) {
  Fixture f;
  f.send(k_start);
  const auto early = std::get<SendLimited>(f.plan(after(Millis(29'999))));
  EXPECT_EQ(early.limit, "resend");
  EXPECT_EQ(early.verdict.retry_after, Millis(1));
  EXPECT_TRUE(std::holds_alternative<FurtherCode>(f.plan(after(Millis(30'000)))));
  // Two sends in one millisecond are one too many.
  EXPECT_TRUE(std::holds_alternative<SendLimited>(f.plan(k_start)));
}

TEST(Resend, NewCodesLiveBesideTheEarlierOnesUnderOneBudgetAndDeadline) {
  Fixture f;
  const auto first = f.send(k_start);
  f.verify(after(Seconds(1)), "x");
  const auto second = f.send(after(Seconds(30)));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->verification_id, first->verification_id);
  EXPECT_EQ(second->attempts_remaining, 2U);
  EXPECT_EQ(second->expires_in, Seconds(270));
  Fixture other = f;
  EXPECT_TRUE(std::holds_alternative<Approved>(f.verify(after(Seconds(31)), "digest 1")));
  EXPECT_TRUE(std::holds_alternative<Approved>(other.verify(after(Seconds(31)), "digest 2")));
}

TEST(Resend, TheOldestCodeBeyondLiveCodesNoLongerWorks) {
  Fixture f;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(f.send(after(Seconds(30 * i))));
  EXPECT_TRUE(std::holds_alternative<Wrong>(f.verify(after(Seconds(61)), "digest 1")));
  EXPECT_TRUE(std::holds_alternative<Approved>(f.verify(after(Seconds(62)), "digest 2")));
}

TEST(Resend, AfterThePoisonANewVerificationBeginsAndTheRecipientsGuessesStay) {
  Fixture f;
  f.limits.recipient_guesses = {4, std::chrono::hours(1)};
  f.send(k_start);
  for (int i = 0; i < 3; ++i) f.verify(after(Seconds(1 + i)), "x");
  const auto second = f.send(after(Seconds(5)));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->attempts_remaining, 3U);
  EXPECT_TRUE(std::holds_alternative<Wrong>(f.verify(after(Seconds(6)), "x")));
  EXPECT_TRUE(std::holds_alternative<GuessesLimited>(f.guess(after(Seconds(7)))));
}

TEST(Resend, ThePlanOfAnotherRequestDoesNotPass) {
  Fixture f;
  const SendQuestion asked = f.question();
  NewCode mine{.verification_id = "mine",
               .digest = "d",
               .salt = "s",
               .params = {},
               .sealed_code = {},
               .link_hash = {},
               .channel = "sms",
               .user_id = {},
               .country = {}};
  f.send(k_start);  // another request went first
  EXPECT_FALSE(admit(f.state, asked, mine, k_start));
  EXPECT_FALSE(admit(f.state, asked, mine, after(Seconds(30))));  // its salt is another
  EXPECT_EQ(f.state.verifications.size(), 1U);
}

TEST(Sending, FiveAnHourToOneRecipientWhateverThePurpose) {
  Fixture f;
  const std::string_view purposes[] = {"login", "transaction", "login", "password_reset", "login"};
  TimePoint now = k_start;
  for (const auto purpose : purposes) {
    ASSERT_TRUE(f.send(now, purpose)) << purpose;
    now += Seconds(60);
  }
  EXPECT_FALSE(f.send(now, "another"));
  expire(f.state, now);
  const auto refused = std::get<SendLimited>(plan_send(f.state, f.question("another"), now));
  EXPECT_EQ(refused.limit, "recipient");
  EXPECT_EQ(refused.verdict.retry_after, k_start + std::chrono::hours(1) - now);
  EXPECT_TRUE(f.send(k_start + std::chrono::hours(1), "another"));
}

TEST(Sending, ARepeatedAdmissionChangesNothing) {
  Fixture f;
  NewCode code{.verification_id = "v",
               .digest = "d",
               .salt = "s",
               .params = {},
               .sealed_code = {},
               .link_hash = {},
               .channel = "sms",
               .user_id = {},
               .country = {}};
  code.remember_admission = true;
  const auto first = admit(f.state, f.question(), code, k_start);
  ASSERT_TRUE(first);
  const SendPlan again = f.plan(after(Millis(1)));
  ASSERT_TRUE(std::holds_alternative<AlreadyAdmitted>(again));
  EXPECT_EQ(std::get<AlreadyAdmitted>(again).admission.verification_id, "v");
  EXPECT_EQ(std::get<AlreadyAdmitted>(again).admission.expires_in, f.policy.lifetime);
  EXPECT_FALSE(admit(f.state, f.question(), code, after(Millis(1))));
  EXPECT_EQ(f.state.sends.size(), 1U);
}

TEST(Sending, TheRecordStaysBoundedAndKeepsTheLivingLongest) {
  Fixture f;
  f.limits.recipient_sends = {1'000, std::chrono::hours(1)};
  TimePoint now = k_start;
  ASSERT_TRUE(f.send(now, "kept"));
  for (int i = 0; i < 50; ++i) {
    now += Millis(1);
    ASSERT_TRUE(f.send(now, "transaction", "context " + std::to_string(i)));
    cancel(f.state, f.state.verifications.back().id, now);
  }
  EXPECT_LE(f.state.verifications.size(), 8U);
  EXPECT_NE(find_verification(f.state, "fresh 1"), nullptr);
}

TEST(Verifying, NothingOfOneQuestionAnswersAnother) {
  Fixture f;
  f.send(k_start, "transaction", "to Alice");
  const auto ask = [&](std::string_view purpose, std::string_view context, std::string_view id) {
    return reserve(f.state, {purpose, context, id, 6, 6, f.limits, f.asker}, after(Millis(1)));
  };
  EXPECT_TRUE(std::holds_alternative<Gone>(ask("login", "", "")));
  EXPECT_TRUE(std::holds_alternative<Gone>(ask("transaction", "to Bob", "")));
  EXPECT_TRUE(std::holds_alternative<Gone>(ask("login", "", "fresh 1")));
  EXPECT_TRUE(std::holds_alternative<Gone>(ask("transaction", "to Bob", "fresh 1")));
  EXPECT_TRUE(std::holds_alternative<Gone>(ask("transaction", "to Alice", "another id")));
  EXPECT_EQ(f.state.verifications[0].attempts_used, 0U);
  EXPECT_TRUE(std::holds_alternative<Reserved>(ask("transaction", "to Alice", "fresh 1")));
}

TEST(Verifying, ACodeOfAnotherLengthCostsNoAttempt) {
  Fixture f;
  f.send(k_start);
  for (const std::size_t length : {0U, 1U, 5U, 7U, 10U}) {
    EXPECT_EQ(std::get<BadCode>(f.guess(after(Millis(1)), length)).digits, 6U);
  }
  EXPECT_EQ(f.state.verifications[0].attempts_used, 0U);
  // Without a verification the answer is the same.
  Fixture none;
  EXPECT_TRUE(std::holds_alternative<BadCode>(none.guess(k_start, 5)));
  EXPECT_TRUE(std::holds_alternative<Gone>(none.guess(k_start)));
}

TEST(Verifying, ACodeThatWasDroppedWhileItWasHashedIsWrong) {
  Fixture f;
  f.policy.live_codes = 1;
  f.send(k_start);
  const auto attempt = std::get<Reserved>(f.guess(after(Seconds(30))));
  f.send(after(Seconds(30)));
  EXPECT_TRUE(std::holds_alternative<Wrong>(
      settle(f.state, attempt.verification_id, "digest 1", {}, after(Seconds(30)))));
}

TEST(Verifying, AnEmptyDigestNeverMatches) {
  Fixture f;
  f.send(k_start);
  EXPECT_TRUE(std::holds_alternative<Wrong>(f.verify(after(Millis(1)), "")));
  EXPECT_TRUE(std::holds_alternative<Gone>(
      settle_link(f.state, f.state.verifications[0].id, "", {}, after(Millis(1)))))
      << "a verification without a link has an empty link hash";
}

TEST(Verifying, ARightGuessIsNotHeldAgainstTheRecipient) {
  Fixture f;
  f.send(k_start);
  f.verify(after(Millis(1)), "x");
  f.verify(after(Millis(2)), "digest 1");
  EXPECT_EQ(f.state.guesses.size(), 1U);
}

TEST(Ending, CancelEndsOnlyWhatLives) {
  Fixture f;
  f.send(k_start);
  const std::string id = f.state.verifications[0].id;
  EXPECT_TRUE(cancel(f.state, id, after(Millis(1))));
  EXPECT_FALSE(cancel(f.state, id, after(Millis(2))));
  EXPECT_FALSE(cancel(f.state, "unknown", after(Millis(2))));
  EXPECT_EQ(status_name(f.state.verifications[0], after(Millis(2))), "canceled");
  EXPECT_TRUE(std::holds_alternative<Gone>(f.verify(after(Millis(3)), "digest 1")));
  EXPECT_TRUE(std::holds_alternative<FirstCode>(f.plan(after(Millis(3)))));
}

TEST(Records, RoundTripWhole) {
  Fixture f;
  f.policy.resend = Resend::same_code;
  NewCode code{.verification_id = "v",
               .digest = "d",
               .salt = "s",
               .params = {crypto::HashParams::Algorithm::hmac, 1, 2},
               .pepper_id = 3,
               .sealed_code = "sealed",
               .link_hash = "l",
               .channel = "sms",
               .user_id = "user",
               .country = "US",
               .remember_admission = true};
  ASSERT_TRUE(admit(f.state, f.question("transaction", "c"), code, k_start));
  charge(f.state.guesses, after(Millis(5)));
  mark_sent(f.state, "v", "lane", "m1", after(Millis(8)));
  mark_receipt(f.state, "v", "lane", "m1", DeliveryState::failed, "too_late", after(Millis(9)));
  const auto back = decode<RecipientState>(encode(f.state));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(f.state));
  const Verification& v = back->verifications.at(0);
  EXPECT_EQ(v.codes.at(0).link_hash, "l");
  EXPECT_EQ(v.params.algorithm, crypto::HashParams::Algorithm::hmac);
  EXPECT_EQ(v.delivery_error, "too_late");
  EXPECT_EQ(v.lane + v.message_id, "lanem1");
  EXPECT_EQ(v.expires_at, k_start + f.policy.lifetime);
  EXPECT_EQ(back->admissions.at(0).resend_after, Seconds(30));
  EXPECT_FALSE(decode<RecipientState>("\xff garbage"));
}

}  // namespace
}  // namespace otpd::otp
