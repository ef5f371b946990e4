#include "otp/pumping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace otpd::otp {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr TimePoint k_guard_start{Millis(1'800'000'000'000)};
constexpr PumpingRule k_guard;  // as shipped

GuardState guard_with(std::uint64_t sends, std::uint64_t verified) {
  GuardState state;
  add_taken(state.sends, k_guard.window, sends, k_guard_start);
  add_taken(state.verified, k_guard.window, verified, k_guard_start);
  return state;
}

TEST(Pumping, ABlockIsJudgedByItsConversionFromAMinimumOn) {
  struct Case {
    std::uint64_t sends, verified;
    bool pumped;
  };
  const TimePoint now = k_guard_start + minutes(10);
  for (const Case& one :
       {Case{29, 0, false}, Case{30, 0, true}, Case{30, 2, true}, Case{30, 3, false},
        Case{300, 29, true}, Case{300, 30, false}, Case{300, 400, false}, Case{0, 0, false}}) {
    GuardState state = guard_with(one.sends, one.verified);
    EXPECT_EQ(is_pumped(state, k_guard, now), one.pumped) << one.sends << " " << one.verified;
  }
}

TEST(Pumping, HugeCountsAreJudgedToo) {
  constexpr std::uint64_t k_huge = std::numeric_limits<std::uint64_t>::max();
  GuardState state = guard_with(k_huge, 0);
  EXPECT_TRUE(is_pumped(state, k_guard, k_guard_start + minutes(10)));
  state = guard_with(k_huge, k_huge);
  EXPECT_FALSE(is_pumped(state, k_guard, k_guard_start + minutes(10)));
}

TEST(Pumping, WhatIsTooYoungIsNotJudgedAndWhatIsTooOldNotAnyMore) {
  GuardState state = guard_with(100, 0);
  EXPECT_FALSE(is_pumped(state, k_guard, k_guard_start));
  EXPECT_FALSE(is_pumped(state, k_guard, k_guard_start + minutes(1)));
  EXPECT_TRUE(is_pumped(state, k_guard, k_guard_start + minutes(3)));
  EXPECT_TRUE(is_pumped(state, k_guard, k_guard_start + minutes(60)));
  EXPECT_FALSE(is_pumped(state, k_guard, k_guard_start + minutes(62)));
}

// Wherever in a sub-window it was sent, and however long that is.
TEST(Pumping, NoMessageIsJudgedBeforeItsGraceIsOver) {
  for (const Millis window : {Millis(minutes(10)), Millis(hours(1)), Millis(hours(24))}) {
    PumpingRule rule{.window = window, .grace = minutes(5)};
    const Millis width = sub_window(window);
    for (const int sixth : {0, 1, 2, 3, 4, 5, 6}) {
      const TimePoint sent = k_guard_start + width * sixth / 6 - Millis(1);
      GuardState state;
      add_taken(state.sends, window, 100, sent);
      EXPECT_FALSE(is_pumped(state, rule, sent + rule.grace)) << window << " " << sixth;
      EXPECT_TRUE(is_pumped(state, rule, sent + rule.grace + width + k_lease_life))
          << window << " " << sixth;
    }
  }
}

TEST(Pumping, AClosedBlockOpensByItselfAndIsCountedAnew) {
  GuardState state = guard_with(40, 1);
  const TimePoint now = k_guard_start + minutes(10);
  close_block(state, k_guard, now);
  EXPECT_EQ(state.closed_for, (Conversion{40, 1}));
  EXPECT_EQ(block_closed_for(state, k_guard, now), Millis(minutes(30)));
  EXPECT_EQ(block_closed_for(state, k_guard, now + minutes(30) - Millis(1)), Millis(1));
  EXPECT_EQ(block_closed_for(state, k_guard, now + minutes(30)), Millis(0));
  EXPECT_FALSE(is_pumped(state, k_guard, now + minutes(30)));
}

TEST(Pumping, EachFurtherClosingIsTwiceAsLongUpToTheLongest) {
  GuardState state;
  TimePoint now = k_guard_start;
  for (const int minutes_closed : {30, 60, 120, 240, 480, 960, 1'440, 1'440}) {
    close_block(state, k_guard, now);
    EXPECT_EQ(block_closed_for(state, k_guard, now), Millis(minutes(minutes_closed)));
    now = state.closed_until + hours(1);
  }
}

TEST(Pumping, LongAfterwardsAClosingIsAFirstOne) {
  GuardState state;
  close_block(state, k_guard, k_guard_start);
  close_block(state, k_guard, state.closed_until + k_guard.longest - Millis(1));
  EXPECT_EQ(state.closings, 2U);
  close_block(state, k_guard, state.closed_until + k_guard.longest);
  EXPECT_EQ(state.closings, 1U);
}

TEST(Pumping, AClockThatStepsBackKeepsNothingClosedForLonger) {
  GuardState state;
  close_block(state, k_guard, k_guard_start);
  EXPECT_EQ(block_closed_for(state, k_guard, k_guard_start - hours(1'000)), Millis(minutes(30)));
  EXPECT_EQ(block_closed_for({}, k_guard, k_guard_start - hours(1'000)), Millis(0));
}

TEST(Pumping, NoValueOfARuleSwitchesItOff) {
  PumpingRule rule;
  rule.min_sends = 0;
  GuardState state = guard_with(1, 0);
  EXPECT_TRUE(is_pumped(state, rule, k_guard_start + minutes(10)));
  state = {};
  EXPECT_FALSE(is_pumped(state, rule, k_guard_start));  // of nothing there is no share
}

TEST(Pumping, TheListIsBoundedAndKeepsWhatIsClosedLongest) {
  ClosedBlocks list;
  const auto block = [](std::size_t n, Millis closed) {
    return ClosedBlock{"+" + std::to_string(n), k_guard_start, k_guard_start + closed, 1, {}};
  };
  for (std::size_t n = 0; n < k_max_closed_blocks; ++n) {
    list_block(list, block(n, hours(2) + Seconds(n)), k_guard_start);
  }
  list_block(list, block(7, hours(5)), k_guard_start);  // again: one line
  EXPECT_EQ(list.blocks.size(), k_max_closed_blocks);
  list_block(list, block(5'000, hours(3)), k_guard_start);
  EXPECT_EQ(list.blocks.size(), k_max_closed_blocks);
  EXPECT_FALSE(unlist_block(list, "+0"));
  EXPECT_TRUE(unlist_block(list, "+7"));
  list_block(list, block(6'000, hours(3)), k_guard_start);
  list_block(list, block(6'001, hours(9)), k_guard_start + hours(4));  // most have ended by then
  EXPECT_EQ(list.blocks.size(), 1U);
}

}  // namespace
}  // namespace otpd::otp
