#include "delivery/breaker.h"

#include <gtest/gtest.h>

namespace otpd::delivery {
namespace {

const TimePoint k_noon{std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)};
constexpr Millis k_fast{100};

struct BreakerBench {
  BreakerPolicy policy{.window = Seconds(60),
                       .min_volume = 20,
                       .open_failures = 5,
                       .open_for = Seconds(5),
                       .open_max = Seconds(15),
                       .probes = 2};
  Breaker breaker{policy};
  TimePoint now = k_noon;

  void record(bool success, int times = 1, Millis latency = k_fast) {
    for (int i = 0; i < times; ++i) breaker.record(now, success, latency);
  }
  // `failures` of each hundred, never two in a row.
  void mixed(int failures) {
    for (int i = 0; i < 100; ++i) record(i * failures / 100 == (i + 1) * failures / 100);
  }
  BreakerState state() const { return breaker.state(now); }
};

TEST(Breaker, TrafficShiftsAboveTheErrorRateAndNotAtIt) {
  BreakerBench five;
  five.mixed(5);
  EXPECT_EQ(five.state(), BreakerState::closed);
  BreakerBench six;
  six.mixed(6);
  EXPECT_EQ(six.state(), BreakerState::shifting);
  six.now += Seconds(61);
  EXPECT_EQ(six.state(), BreakerState::closed);  // the window has passed
}

TEST(Breaker, AShiftedLaneIsProbedAndComesBackLongBeforeItsWindowHasPassed) {
  BreakerBench bench;
  bench.mixed(10);
  EXPECT_FALSE(bench.breaker.may_probe(bench.now));
  bench.now += Seconds(5) - Millis(1);
  EXPECT_FALSE(bench.breaker.may_probe(bench.now));
  bench.now += Millis(1);
  ASSERT_TRUE(bench.breaker.may_probe(bench.now));
  ASSERT_TRUE(bench.breaker.begin_probe());
  EXPECT_FALSE(bench.breaker.may_probe(bench.now));
  bench.record(true);
  EXPECT_EQ(bench.state(), BreakerState::shifting);
  ASSERT_TRUE(bench.breaker.begin_probe());
  bench.record(true);
  EXPECT_EQ(bench.state(), BreakerState::closed);
}

TEST(Breaker, AFailedProbeOfAShiftedLaneIsNotRepeatedAtOnce) {
  BreakerBench bench;
  bench.mixed(10);
  bench.now += Seconds(5);
  ASSERT_TRUE(bench.breaker.begin_probe());
  bench.record(true);
  ASSERT_TRUE(bench.breaker.begin_probe());
  bench.record(false);
  EXPECT_EQ(bench.state(), BreakerState::shifting);
  EXPECT_FALSE(bench.breaker.may_probe(bench.now));
  bench.now += Seconds(5);
  ASSERT_TRUE(bench.breaker.begin_probe());
  bench.record(true);
  EXPECT_EQ(bench.state(), BreakerState::shifting);  // the success before the failure is forgotten
}

TEST(Breaker, WhatAShiftedLaneCarriesBesidesItsProbesDoesNotCloseIt) {
  BreakerBench bench;
  bench.mixed(10);
  bench.now += Seconds(5);
  bench.record(true, 10);
  EXPECT_EQ(bench.state(), BreakerState::shifting);
}

TEST(Breaker, AFewTriesAreNoRate) {
  BreakerBench bench;
  bench.record(true, 15);
  bench.record(false, 4);
  EXPECT_EQ(bench.state(), BreakerState::closed);
  bench.record(false);  // the twentieth try, and the fifth failure in a row
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_EQ(bench.breaker.reason(), "failures in a row");
}

TEST(Breaker, OpensByItsErrorRate) {
  BreakerBench bench;
  for (int i = 0; i < 9; ++i) {
    bench.record(true);
    bench.record(false);
  }
  EXPECT_EQ(bench.state(), BreakerState::closed);
  bench.record(true);
  bench.record(false);
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_EQ(bench.breaker.reason(), "error rate");
}

TEST(Breaker, OpensWhenItsSlowestAreTooSlow) {
  BreakerBench bench;
  bench.record(true, 100);
  bench.record(true, 1, Seconds(20));
  EXPECT_EQ(bench.state(), BreakerState::closed);
  bench.record(true, 1, Seconds(20));
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_EQ(bench.breaker.reason(), "slow");
}

TEST(Breaker, HalfOpenGivesOneProbeAtATimeAndClosesAfterEnough) {
  BreakerBench bench;
  bench.record(false, 5);
  bench.now += Seconds(5) - Millis(1);
  EXPECT_EQ(bench.state(), BreakerState::open);
  bench.now += Millis(1);
  EXPECT_EQ(bench.state(), BreakerState::half_open);
  EXPECT_TRUE(bench.breaker.begin_probe());
  EXPECT_FALSE(bench.breaker.begin_probe());
  bench.record(true);
  EXPECT_EQ(bench.state(), BreakerState::half_open);
  EXPECT_TRUE(bench.breaker.begin_probe());
  bench.record(true);
  EXPECT_EQ(bench.state(), BreakerState::closed);
  EXPECT_EQ(bench.breaker.reason(), "");
}

TEST(Breaker, OpenTimeDoublesUpToItsMaximumAndStartsAnewAfterClosing) {
  BreakerBench bench;
  bench.record(false, 5);
  for (const int seconds : {5, 10, 15, 15}) {
    EXPECT_EQ(bench.breaker.open_until() - bench.now, Seconds(seconds));
    bench.now = bench.breaker.open_until();
    ASSERT_TRUE(bench.breaker.begin_probe());
    bench.record(false);
    EXPECT_EQ(bench.breaker.reason(), "failures in a row");
  }
  bench.now = bench.breaker.open_until();
  bench.record(true, 2);
  ASSERT_EQ(bench.state(), BreakerState::closed);
  bench.record(false, 5);
  EXPECT_EQ(bench.breaker.open_until() - bench.now, Seconds(5));
}

TEST(Breaker, ATripOpensAtOnceAndIsNoLongerHeard) {
  BreakerBench bench;
  bench.record(true, 50);
  bench.breaker.trip(bench.now, "misconfigured: 401");
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_FALSE(bench.breaker.answers(bench.now));
  EXPECT_EQ(bench.breaker.reason(), "misconfigured: 401");
}

TEST(Breaker, OneThatAnsweredLatelyStillAnswers) {
  BreakerBench bench;
  bench.record(true);
  bench.record(false, 5);
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_TRUE(bench.breaker.answers(bench.now));
  EXPECT_FALSE(bench.breaker.answers(bench.now + Seconds(10)));
}

TEST(Breaker, ATryBegunBeforeItOpenedChangesNothing) {
  BreakerBench bench;
  bench.record(false, 5);
  const TimePoint until = bench.breaker.open_until();
  bench.record(true);
  bench.record(false);
  EXPECT_EQ(bench.state(), BreakerState::open);
  EXPECT_EQ(bench.breaker.open_until(), until);
}

TEST(Breaker, AClockThatStepsBackDoesNotKeepItOpen) {
  BreakerBench bench;
  bench.record(false, 5);
  bench.now -= std::chrono::hours(1);
  EXPECT_EQ(bench.state(), BreakerState::half_open);
}

TEST(RollingWindow, TellsPercentilesWithinAFifth) {
  RollingWindow window(Seconds(60));
  for (int i = 1; i <= 100; ++i) window.record(k_noon, true, Millis(i * 10));
  const LaneHealth health = window.health(k_noon);
  EXPECT_EQ(health.succeeded, 100U);
  EXPECT_GE(health.p50, Millis(500));
  EXPECT_LE(health.p50, Millis(600));
  EXPECT_GE(health.p99, Millis(990));
  EXPECT_LE(health.p99, Millis(1'190));
}

}  // namespace
}  // namespace otpd::delivery
