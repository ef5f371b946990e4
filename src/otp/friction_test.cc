#include "otp/friction.h"

#include <gtest/gtest.h>

#include "otp/test_recipient_fixture.h"

namespace otpd::otp {
namespace {

using testing_recipient::after;
using testing_recipient::Fixture;
using testing_recipient::k_start;

constexpr Friction k_shipped;

TEST(Friction, TheThirdSendToARecipientIsTheFirstToAsk) {
  struct Case {
    std::uint32_t recipient_nth;
    std::uint32_t ip_nth;
    std::optional<std::uint32_t> level;
  };
  for (const Case& one :
       {Case{1, 1, {}}, Case{2, 29, {}}, Case{3, 1, 0}, Case{4, 1, 1}, Case{5, 1, 2}, Case{9, 1, 6},
        Case{10, 1, 6}, Case{4'000'000'000U, 1, 6}, Case{0, 30, 0}, Case{1, 59, 0}, Case{1, 60, 1},
        Case{1, 90, 2}, Case{3, 60, 1}, Case{5, 60, 2}, Case{1, 4'000'000'000U, 6}}) {
    EXPECT_EQ(captcha_level(k_shipped, one.recipient_nth, one.ip_nth), one.level)
        << one.recipient_nth << " " << one.ip_nth;
  }
}

TEST(Friction, PressureRisesFromHalfOfTheCapToTheCap) {
  struct Case {
    std::uint32_t threshold;
    std::uint32_t used;
    std::optional<std::uint32_t> level;
  };
  for (const Case& one : {Case{50, 0, {}}, Case{50, 49, {}}, Case{50, 50, 0}, Case{50, 57, 0},
                          Case{50, 58, 1}, Case{50, 93, 6}, Case{50, 99, 6}, Case{50, 100, {}},
                          Case{50, 4'000'000'000U, {}}, Case{1, 1, 0}, Case{1, 99, 6},
                          Case{99, 98, {}}, Case{99, 99, 0}, Case{0, 1, 0}, Case{1'000, 99, 0}}) {
    Friction friction;
    friction.application_percent = one.threshold;
    EXPECT_EQ(pressure_level(friction, one.used), one.level) << one.threshold << " " << one.used;
  }
  EXPECT_EQ(captcha_level(k_shipped, 1, 1, 2), 2U);
  EXPECT_EQ(captcha_level(k_shipped, 6, 1, 2), 3U);
  EXPECT_EQ(captcha_level(k_shipped, 1, 1, 9), k_max_captcha_level);
}

TEST(Friction, CountsToTheLastMillisecondOfTheWindow) {
  const TimeLog log{after(Millis(0)), after(Millis(500)), after(Seconds(60))};
  EXPECT_EQ(count_within(log, Seconds(1), after(Millis(999))), 3U);  // one is from the future
  EXPECT_EQ(count_within(log, Seconds(1), after(Millis(1'000))), 2U);
  EXPECT_EQ(count_within(log, Seconds(1), after(Millis(1'500))), 1U);
  EXPECT_EQ(count_within({}, Seconds(1), k_start), 0U);
}

class FrictionPlan : public ::testing::Test {
 protected:
  FrictionPlan() { fixture_.limits.friction = k_shipped; }

  // The level that a send at `now` is asked for.
  std::optional<std::uint32_t> asked(TimePoint now, std::optional<std::uint32_t> brought = {},
                                     std::uint32_t ip_sends = 1) {
    SendQuestion question = fixture_.question();
    question.ip_sends = ip_sends;
    question.captcha_level = brought;
    const SendPlan plan = plan_send(fixture_.state, question, now);
    const auto* needed = std::get_if<CaptchaNeeded>(&plan);
    return needed != nullptr ? std::optional(needed->level) : std::nullopt;
  }

  Fixture fixture_;
};

TEST_F(FrictionPlan, AsksFromTheThirdSendInTenMinutesAndForgetsThem) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(fixture_.send(after(Seconds(60 * i))));
  EXPECT_EQ(asked(after(Seconds(120))), 0U);
  EXPECT_EQ(asked(after(Seconds(600)) - Millis(1)), 0U);
  EXPECT_EQ(asked(after(Seconds(600))), std::nullopt);
}

TEST_F(FrictionPlan, AsksAnAddressThatSendsToMany) {
  EXPECT_EQ(asked(k_start, {}, 29), std::nullopt);
  EXPECT_EQ(asked(k_start, {}, 30), 0U);
  EXPECT_EQ(asked(k_start, 0, 30), std::nullopt);
}

TEST_F(FrictionPlan, TakesAHarderCaptchaButNoEasierOne) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(fixture_.send(after(Seconds(60 * i))));
  fixture_.state.sends.push_back(after(Seconds(90)));
  EXPECT_EQ(asked(after(Seconds(120)), 0), 1U);
  EXPECT_EQ(asked(after(Seconds(120)), 1), std::nullopt);
  EXPECT_EQ(asked(after(Seconds(120)), 2), std::nullopt);
}

// What was asked of the state that was loaded is asked again of the one that is written.
TEST_F(FrictionPlan, HoldsForTheStateThatIsCommitted) {
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(fixture_.send(after(Seconds(60 * i))));
  EXPECT_FALSE(fixture_.send(after(Seconds(120))));
}

TEST_F(FrictionPlan, LimitsComeFirst) {
  fixture_.limits.recipient_sends.max = 2;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(fixture_.send(after(Seconds(60 * i))));
  const SendPlan plan = fixture_.plan(after(Seconds(120)));
  ASSERT_TRUE(std::holds_alternative<SendLimited>(plan));
  EXPECT_EQ(std::get<SendLimited>(plan).limit, "recipient");
}

}  // namespace
}  // namespace otpd::otp
