#include "delivery/retry.h"

#include <gtest/gtest.h>

namespace otpd::delivery {
namespace {

using Kind = Outcome::Kind;

constexpr TimePoint k_now{Millis(1'800'000'000'000)};
constexpr TimePoint k_far = k_now + std::chrono::hours(24);
constexpr RetryPolicy k_policy{Millis(500), Millis(30'000)};

class Retry : public ::testing::Test {
 protected:
  NextStep next(Kind kind, std::uint32_t attempt = 1, TimePoint expires_at = k_far,
                std::optional<Millis> retry_after = {}) {
    return next_step({kind, "message", "reason", retry_after}, attempt, k_now, expires_at, k_policy,
                     random_);
  }
  Millis wait(Kind kind, std::uint32_t attempt, std::optional<Millis> retry_after = {}) {
    return std::get<TryAgain>(next(kind, attempt, k_far, retry_after)).at - k_now;
  }
  SeededRandom random_{3};
};

TEST_F(Retry, WhatACarrierHasIsNotTriedAgain) {
  EXPECT_EQ(std::get<HandedOver>(next(Kind::accepted)).message_id, "message");
  // Not even if the code is worth nothing by now.
  EXPECT_TRUE(std::holds_alternative<HandedOver>(next(Kind::accepted, 1, k_now)));
}

TEST_F(Retry, ARejectedRecipientEndsItAtOnce) {
  const auto given_up = std::get<GiveUp>(next(Kind::rejected));
  EXPECT_EQ(given_up.reason, "reason");
  EXPECT_EQ(given_up.neutral, k_reason_rejected);
}

TEST_F(Retry, TheWaitDoublesUpToTheMostAndIsJitteredByHalf) {
  for (const Kind kind : {Kind::transient, Kind::throttled, Kind::misconfigured}) {
    for (std::uint32_t attempt = 1; attempt <= 12; ++attempt) {
      const Millis full = std::min(k_policy.base * (1 << (attempt - 1)), k_policy.max);
      Millis least = k_policy.max;
      Millis most{0};
      for (int i = 0; i < 400; ++i) {
        least = std::min(least, wait(kind, attempt));
        most = std::max(most, wait(kind, attempt));
      }
      EXPECT_GE(least, full / 2);
      EXPECT_LE(most, full);
      EXPECT_GT(most - least, full / 3) << "the jitter is gone";
    }
  }
}

TEST_F(Retry, AnyAttemptNumberIsServed) {
  for (const std::uint32_t attempt : {0U, 1U, 32U, 64U, 4'000'000'000U}) {
    EXPECT_GE(wait(Kind::transient, attempt), k_policy.base / 2);
    EXPECT_LE(wait(Kind::transient, attempt), k_policy.max);
  }
}

TEST_F(Retry, AThrottlingCarrierIsGivenTheTimeItAsksFor) {
  EXPECT_EQ(wait(Kind::throttled, 1, Millis(45'000)), Millis(45'000));
  EXPECT_GE(wait(Kind::throttled, 1, Millis(1)), Millis(250));
  // Nobody else may ask.
  EXPECT_LE(wait(Kind::transient, 1, Millis(45'000)), Millis(500));
}

TEST_F(Retry, ATryThatWouldComeTooLateIsGivenUp) {
  const Millis asked{10'000};
  const auto at_the_end = next(Kind::throttled, 1, k_now + asked, asked);
  EXPECT_EQ(std::get<GiveUp>(at_the_end).neutral, k_reason_unavailable);
  const auto just_before = next(Kind::throttled, 1, k_now + asked + Millis(1), asked);
  EXPECT_EQ(std::get<TryAgain>(just_before).at, k_now + asked);
  EXPECT_EQ(std::get<GiveUp>(next(Kind::transient, 1, k_now + Millis(250))).neutral,
            k_reason_unavailable);
  EXPECT_EQ(std::get<GiveUp>(next(Kind::misconfigured, 1, k_now)).neutral, k_reason_misconfigured);
}

}  // namespace
}  // namespace otpd::delivery
