#include "otp/lock.h"

#include <gtest/gtest.h>

namespace otpd::otp {
namespace {

constexpr LockRule k_lock{.guesses = 3, .first = Millis(10'000), .longest = Millis(60'000)};
constexpr TimePoint k_noon{Millis(1'000'000)};

TEST(Lock, GrowsWithEveryFurtherWrongCodeUpToItsBound) {
  const int seconds[] = {0, 0, 0, 10, 20, 40, 60, 60};
  for (std::uint32_t count = 0; count < std::size(seconds); ++count) {
    EXPECT_EQ(lock_length(k_lock, count), Seconds(seconds[count])) << count;
  }
  EXPECT_EQ(lock_length(k_lock, 4'000'000'000), Seconds(60));
}

TEST(Lock, IsClosedToItsLastMillisecond) {
  WrongCodes wrong;
  EXPECT_EQ(guesses_left(wrong, k_lock), 3U);
  for (int i = 0; i < 2; ++i) count_wrong(wrong, k_lock, k_noon);
  EXPECT_EQ(closed_for(wrong, k_lock, k_noon), Millis(0));
  EXPECT_EQ(guesses_left(wrong, k_lock), 1U);
  count_wrong(wrong, k_lock, k_noon);
  EXPECT_EQ(guesses_left(wrong, k_lock), 1U);
  EXPECT_EQ(closed_for(wrong, k_lock, k_noon), Seconds(10));
  EXPECT_EQ(closed_for(wrong, k_lock, k_noon + Millis(9'999)), Millis(1));
  EXPECT_EQ(closed_for(wrong, k_lock, k_noon + Seconds(10)), Millis(0));
  count_wrong(wrong, k_lock, k_noon + Seconds(10));
  EXPECT_EQ(closed_for(wrong, k_lock, k_noon + Seconds(10)), Seconds(20));
}

TEST(Lock, AClockThatStepsBackClosesItForItsLengthAtMost) {
  WrongCodes wrong;
  for (int i = 0; i < 3; ++i) count_wrong(wrong, k_lock, k_noon);
  const TimePoint before = k_noon - std::chrono::hours(100);
  EXPECT_EQ(closed_for(wrong, k_lock, before), Seconds(10));
  EXPECT_EQ(closed_for(wrong, k_lock, before + Seconds(4)), Seconds(6));
  EXPECT_EQ(closed_for(wrong, k_lock, before + Seconds(10)), Millis(0));
}

}  // namespace
}  // namespace otpd::otp
