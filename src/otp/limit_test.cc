#include "otp/limit.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.h"

namespace otpd::otp {
namespace {

constexpr TimePoint at(std::int64_t ms) {
  return TimePoint(Millis(1'000'000 + ms));
}
constexpr Limit k_two_per_second{2, Millis(1'000)};

TEST(Limit, CountsExactlyToTheLastMillisecondOfTheWindow) {
  TimeLog log;
  ASSERT_TRUE(check_limit(log, k_two_per_second, at(0)).allowed);
  charge(log, at(0));
  ASSERT_TRUE(check_limit(log, k_two_per_second, at(500)).allowed);
  charge(log, at(500));

  const auto last = check_limit(log, k_two_per_second, at(999));
  EXPECT_FALSE(last.allowed);
  EXPECT_EQ(last.retry_after, Millis(1));
  EXPECT_EQ(last.remaining, 0U);
  const auto free = check_limit(log, k_two_per_second, at(1'000));
  EXPECT_TRUE(free.allowed);
  EXPECT_EQ(free.remaining, 0U);  // this one would be the second again
  EXPECT_EQ(free.reset, Millis(500));
}

TEST(Limit, TwoInOneMillisecondAreTwo) {
  TimeLog log;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(check_limit(log, k_two_per_second, at(0)).allowed);
    charge(log, at(0));
  }
  EXPECT_FALSE(check_limit(log, k_two_per_second, at(0)).allowed);
}

TEST(Limit, AClockThatStepsBackLocksForOneWindowAtTheMost) {
  TimeLog log;
  for (int i = 0; i < 2; ++i) charge(log, at(1'000'000'000));
  const auto back = check_limit(log, k_two_per_second, at(0));
  EXPECT_FALSE(back.allowed);
  EXPECT_EQ(back.retry_after, Millis(1'000));
  EXPECT_TRUE(check_limit(log, k_two_per_second, at(1'000)).allowed);
}

TEST(Limit, ALoweredLimitHoldsAtOnceAndStaysBounded) {
  TimeLog log;
  for (int i = 0; i < 10; ++i) charge(log, at(i));
  const auto verdict = check_limit(log, k_two_per_second, at(10));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(log.size(), 2U);
  EXPECT_EQ(verdict.retry_after, Millis(998));  // until the second-newest is out
}

// The definition itself: never more than `max` in any window, and never refused with fewer.
TEST(Limit, AgreesWithItsDefinitionOnRandomHistories) {
  SeededRandom random(7);
  for (int history = 0; history < 200; ++history) {
    const Limit limit{1 + static_cast<std::uint32_t>(random.u64() % 6),
                      Millis(1 + static_cast<std::int64_t>(random.u64() % 50))};
    TimeLog log;
    std::deque<TimePoint> all;
    TimePoint now = at(0);
    for (int i = 0; i < 300; ++i) {
      now += Millis(static_cast<std::int64_t>(random.u64() % 8));
      const auto counted = static_cast<std::uint32_t>(std::count_if(
          all.begin(), all.end(), [&](TimePoint t) { return t + limit.window > now; }));
      const auto verdict = check_limit(log, limit, now);
      ASSERT_EQ(verdict.allowed, counted < limit.max);
      if (!verdict.allowed) continue;
      ASSERT_EQ(verdict.remaining, limit.max - counted - 1);
      charge(log, now);
      all.push_back(now);
    }
  }
}

TEST(Limit, OneBucketForEverySpellingOfAnAddress) {
  EXPECT_EQ(ip_bucket("::ffff:1.2.3.4"), "1.2.3.4");
  EXPECT_EQ(ip_bucket("::FFFF:102:304"), "1.2.3.4");
  const std::string bucket = ip_bucket("2001:db8:1:2::1");
  EXPECT_EQ(bucket, "2001:db8:1:2::/64");
  for (const char* same :
       {"2001:DB8:1:2::ffff", "2001:0db8:0001:0002:0:0:0:9", "2001:db8:1:2:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(ip_bucket(same), bucket) << same;
  }
  EXPECT_NE(ip_bucket("2001:db8:1:3::1"), bucket);
  EXPECT_EQ(ip_bucket("not an address"), "");
}

TEST(Countries, SoManyDifferentOnesInAnyWindow) {
  const Limit limit{2, std::chrono::hours(1)};
  const TimePoint start{Millis(1'700'000'000'000)};
  const auto at = [&](int minutes) { return start + std::chrono::minutes(minutes); };
  CountryLog log;
  const auto sends = [&](const char* country, TimePoint now) {
    const Millis wait = check_countries(log, limit, country, now);
    if (wait == Millis(0)) note_country(log, country, now);
    return wait;
  };
  EXPECT_EQ(sends("US", at(0)), Millis(0));
  EXPECT_EQ(sends("GB", at(10)), Millis(0));
  EXPECT_EQ(sends("FR", at(20)), Millis(std::chrono::minutes(40)));
  EXPECT_EQ(sends("US", at(30)), Millis(0));  // again, so it counts from now on
  EXPECT_EQ(sends("FR", at(40)), Millis(std::chrono::minutes(30)));
  EXPECT_EQ(sends("FR", at(70) - Millis(1)), Millis(1));
  EXPECT_EQ(sends("FR", at(70)), Millis(0));
  EXPECT_EQ(log.size(), 2U);
  // With a lower limit several have to leave.
  EXPECT_EQ(check_countries(log, {1, std::chrono::hours(1)}, "DE", at(70)),
            Millis(std::chrono::hours(1)));
  // A clock that stepped back keeps them for one window, and lets no other through.
  EXPECT_GT(sends("DE", at(-1'000)), Millis(0));
  EXPECT_EQ(sends("DE", at(-940)), Millis(0));
}

}  // namespace
}  // namespace otpd::otp
