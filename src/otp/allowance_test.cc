#include "otp/allowance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"
#include "otp/leases.h"

namespace otpd::otp {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;

constexpr std::uint64_t k_most = std::numeric_limits<std::uint64_t>::max();
// On the border of a sub-window of both windows, so that edges can be said.
constexpr TimePoint k_allowance_start{Millis(1'800'000'000'000 - 1'800'000'000'000 % 1'440'000)};
constexpr Millis k_minute = minutes(1);

TimePoint allowance_after(Millis wait) {
  return k_allowance_start + wait;
}

AllowanceCaps by_hour(std::uint64_t max, bool shadow = false) {
  return {{Cap{max, shadow}}};
}

// How many of `asked` sends at `now` are let through, one by one.
int admitted(AllowanceLogs& logs, const AllowanceCaps& caps, int asked, TimePoint now,
             std::uint64_t price = 0) {
  int sent = 0;
  for (int i = 0; i < asked; ++i) {
    const auto verdict = check_allowance(logs, caps, price, now);
    if (refusing(verdict, caps, false)) continue;
    take_chunk(logs, caps, verdict, {1, price}, now);
    ++sent;
  }
  return sent;
}

TEST(Allowance, ASubWindowCountsAsLongAsAnyPartOfItIsInside) {
  TakenLog log;
  add_taken(log, hours(1), 5, k_allowance_start);
  // It may be spent until 3 s later, and its minute ends one hour and one minute after its start.
  EXPECT_EQ(taken_within(log, hours(1), allowance_after(hours(1) + Seconds(3))), 5U);
  EXPECT_EQ(taken_within(log, hours(1), allowance_after(hours(1) + k_minute - Millis(1))), 5U);
  EXPECT_EQ(taken_within(log, hours(1), allowance_after(hours(1) + k_minute)), 0U);
  EXPECT_TRUE(log.empty());
}

TEST(Allowance, WhatMayBeSpentInTheNextSubWindowCountsThere) {
  TakenLog log;
  add_taken(log, hours(1), 1, allowance_after(k_minute - Seconds(3) - Millis(1)));
  EXPECT_EQ(log.back().from, k_allowance_start);
  add_taken(log, hours(1), 1, allowance_after(k_minute - Seconds(3)));
  EXPECT_EQ(log.back().from, allowance_after(k_minute));
}

TEST(Allowance, ADayIsCountedInSubWindowsOf24Minutes) {
  AllowanceLogs logs;
  const AllowanceCaps caps{{std::nullopt, Cap{2}}};
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start), 2);
  EXPECT_EQ(admitted(logs, caps, 1, allowance_after(hours(24) + minutes(24) - Millis(1))), 0);
  EXPECT_EQ(admitted(logs, caps, 1, allowance_after(hours(24) + minutes(24))), 1);
}

// Whatever the pattern, no window of an hour holds more than the cap.
TEST(Allowance, InNoWindowIsMoreThanTheCap) {
  AllowanceLogs logs;
  const AllowanceCaps caps = by_hour(50);
  std::vector<TimePoint> sent;
  SeededRandom random(5);
  TimePoint now = k_allowance_start;
  for (int i = 0; i < 20'000; ++i) {
    now += Millis(static_cast<unsigned char>(random.bytes(1)[0]) * 100);
    for (int n = admitted(logs, caps, 1, now); n > 0; --n) sent.push_back(now);
  }
  ASSERT_GT(sent.size(), 2'000U);
  for (std::size_t i = 50; i < sent.size(); ++i) {
    ASSERT_GE(sent[i] - sent[i - 50], Millis(hours(1))) << i;
  }
  EXPECT_LE(logs[Meter::hour].size(), 63U);  // bounded, however long it runs
}

TEST(Allowance, SaysHowLongUntilThereIsRoom) {
  AllowanceLogs logs;
  const AllowanceCaps caps = by_hour(3);
  admitted(logs, caps, 1, k_allowance_start);
  admitted(logs, caps, 2, allowance_after(minutes(10)));
  const TimePoint now = allowance_after(minutes(20));
  const auto verdict = check_allowance(logs, caps, 0, now);
  EXPECT_EQ(verdict[Meter::hour], Millis(minutes(41)));
  EXPECT_EQ(admitted(logs, caps, 1, now + minutes(41) - Millis(1)), 0);
  EXPECT_EQ(admitted(logs, caps, 2, now + minutes(41)), 1);
  // Two need the second minute to leave as well; more than the cap never fit.
  EXPECT_EQ(until_room(logs[Meter::hour], 3, hours(1), 2, now + minutes(41)), Millis(minutes(10)));
  EXPECT_EQ(until_room(logs[Meter::hour], 3, hours(1), 4, now), Millis(hours(1)));
  EXPECT_EQ(until_room({}, 3, hours(1), 3, now), Millis(0));
}

TEST(Allowance, AClockThatStepsBackLocksForOneWindowAndLetsNoMoreThrough) {
  AllowanceLogs logs;
  const AllowanceCaps caps = by_hour(10);
  EXPECT_EQ(admitted(logs, caps, 10, allowance_after(hours(1'000))), 10);
  EXPECT_EQ(admitted(logs, caps, 1, k_allowance_start), 0);
  EXPECT_EQ(admitted(logs, caps, 1, allowance_after(hours(1) + k_minute)), 0);
  EXPECT_EQ(admitted(logs, caps, 10, allowance_after(hours(1) + 2 * k_minute)), 10);
}

// Clocks of processes differ; the slower one must not shorten what the faster one wrote.
TEST(Allowance, AClockThatIsALittleBehindShortensNothing) {
  TakenLog log;
  add_taken(log, hours(1), 1, allowance_after(k_minute));
  const TakenLog before = log;
  EXPECT_EQ(taken_within(log, hours(1), allowance_after(k_minute - Seconds(10))), 1U);
  EXPECT_EQ(log, before);
  add_taken(log, hours(1), 1, allowance_after(k_minute - Seconds(10)));
  EXPECT_THAT(log, ElementsAre(Taken{allowance_after(k_minute), 2}));
}

TEST(Allowance, NumbersAreNeverTooLarge) {
  AllowanceLogs logs;
  const AllowanceCaps caps{{Cap{k_most}, Cap{k_most}, Cap{k_most}}};
  for (int i = 0; i < 3; ++i) {
    add_taken(logs[Meter::spent], hours(24), k_most, allowance_after(i * hours(1)));
    add_taken(logs[Meter::hour], hours(1), k_most, allowance_after(i * k_minute));
  }
  EXPECT_EQ(hour_used_percent(logs, caps, allowance_after(minutes(3))), 100U);
  EXPECT_EQ(taken_within(logs[Meter::spent], hours(24), allowance_after(hours(3))), k_most);
  const auto verdict = check_allowance(logs, caps, k_most, allowance_after(hours(3)));
  EXPECT_TRUE(verdict[Meter::spent]);
  // A cap below what is counted already leaves nothing, not a huge rest.
  const AllowanceCaps lowered{{Cap{1}, Cap{1}, Cap{1}}};
  EXPECT_EQ(admitted(logs, lowered, 1, allowance_after(hours(3)), 1), 0);
}

TEST(Allowance, MoneyIsCountedBySendsPrice) {
  AllowanceLogs logs;
  const AllowanceCaps caps{{Cap{100}, Cap{100}, Cap{1'000}}};
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start, 400), 2);
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start, 100), 2);
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start, 1), 0);
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start, 0), 3);  // costs nothing
  EXPECT_EQ(admitted(logs, caps, 1, allowance_after(hours(24) + minutes(24)), 1'001), 0);
  EXPECT_EQ(admitted(logs, caps, 1, allowance_after(hours(24) + minutes(24)), 1'000), 1);
}

TEST(Allowance, AShadowIsToldAndNotCountedBeyondItsCap) {
  AllowanceLogs logs;
  const AllowanceCaps caps{{Cap{1, true}, Cap{2}}};
  EXPECT_EQ(admitted(logs, caps, 1, k_allowance_start), 1);
  const auto verdict = check_allowance(logs, caps, 0, k_allowance_start);
  EXPECT_EQ(refusing(verdict, caps, false), std::nullopt);
  EXPECT_EQ(refusing(verdict, caps, true), Meter::hour);
  // It hides no cap that is more than a shadow.
  EXPECT_EQ(admitted(logs, caps, 3, k_allowance_start), 1);
  EXPECT_EQ(taken_within(logs[Meter::hour], hours(1), k_allowance_start), 1U);
}

TEST(Allowance, AChunkIsAFiftiethOfWhatIsLeftAndNoMoreThanWasAskedFor) {
  struct Case {
    std::uint64_t cap, taken, recent, chunk;
  };
  for (const Case& one :
       {Case{10, 0, 100, 1}, Case{100, 0, 100, 2}, Case{10'000, 0, 1, 1}, Case{10'000, 0, 150, 150},
        Case{10'000, 0, 1'000, 200}, Case{10'000, 9'000, 1'000, 20}, Case{10'000, 9'999, 1'000, 1},
        Case{k_most, 0, 7, 7}}) {
    AllowanceLogs logs;
    add_taken(logs[Meter::hour], hours(1), one.taken, k_allowance_start);
    EXPECT_EQ(chunk_of(logs, by_hour(one.cap), 0, one.recent, k_allowance_start),
              (Chunk{one.chunk, 0}))
        << one.cap << " " << one.taken << " " << one.recent;
  }
  AllowanceLogs logs;
  const AllowanceCaps money{{Cap{10'000}, std::nullopt, Cap{50'000}}};
  EXPECT_EQ(chunk_of(logs, money, 100, 1'000, k_allowance_start), (Chunk{10, 1'000}));
}

TEST(Allowance, UseIsInPercentOfTheHour) {
  AllowanceLogs logs;
  EXPECT_EQ(hour_used_percent(logs, by_hour(200), k_allowance_start), 0U);
  add_taken(logs[Meter::hour], hours(1), 99, k_allowance_start);
  EXPECT_EQ(hour_used_percent(logs, by_hour(200), k_allowance_start), 49U);
  add_taken(logs[Meter::hour], hours(1), 1, k_allowance_start);
  EXPECT_EQ(hour_used_percent(logs, by_hour(200), k_allowance_start), 50U);
  EXPECT_EQ(hour_used_percent(logs, {}, k_allowance_start), 0U);
  EXPECT_EQ(hour_used_percent(logs, by_hour(200), allowance_after(hours(2))), 0U);
}

TEST(Leases, AChunkIsSpentAndLostAfterThreeSeconds) {
  Leases leases;
  leases.put("a", {2, 100}, k_allowance_start);
  EXPECT_FALSE(leases.spend("b", 0, k_allowance_start));
  EXPECT_FALSE(leases.spend("a", 101, k_allowance_start));
  EXPECT_TRUE(leases.spend("a", 60, allowance_after(k_lease_life - Millis(1))));
  EXPECT_FALSE(leases.spend("a", 60, allowance_after(k_lease_life - Millis(1))));
  EXPECT_FALSE(leases.spend("a", 40, allowance_after(k_lease_life)));
  EXPECT_TRUE(leases.spend("a", 40, allowance_after(k_lease_life - Millis(1))));
  EXPECT_FALSE(leases.spend("a", 0, k_allowance_start));  // no send is left
}

TEST(Leases, AnOlderOneIsNotMadeYounger) {
  Leases leases;
  leases.put("a", {1, 0}, k_allowance_start);
  leases.put("a", {1, 0}, allowance_after(Seconds(2)));
  EXPECT_FALSE(leases.covers("a", 0, allowance_after(Seconds(3))));
  EXPECT_FALSE(leases.covers("a", 0, k_allowance_start - Millis(1)));  // the clock stepped back
}

TEST(Leases, DemandIsThatOfTwoSeconds) {
  Leases leases;
  for (std::uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(leases.ask("a", k_allowance_start), i);
  EXPECT_EQ(leases.ask("a", allowance_after(Seconds(1))), 6U);
  EXPECT_EQ(leases.ask("a", allowance_after(Seconds(2))), 2U);
  EXPECT_EQ(leases.ask("a", allowance_after(Seconds(60))), 1U);
}

TEST(Leases, TheirNumberIsBounded) {
  Leases leases(10);
  for (int i = 0; i < 1'000; ++i) {
    const std::string scope = std::to_string(i);
    EXPECT_GE(leases.ask(scope, k_allowance_start), 1U);
    leases.put(scope, {1, 0}, k_allowance_start);
  }
  EXPECT_EQ(leases.size(), 10U);
  leases.put("new", {1, 0}, allowance_after(Seconds(4)));
  EXPECT_TRUE(leases.spend("new", 0, allowance_after(Seconds(4))));
  EXPECT_EQ(leases.size(), 1U);
}

}  // namespace
}  // namespace otpd::otp
