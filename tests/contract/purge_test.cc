#include "backends.h"

namespace otpd::storage {
namespace {

constexpr auto k_collected_within = std::chrono::minutes(10);

using How = otp::JobEnd::How;

class PurgeContract : public Contract {
 protected:
  Purged purge() { return await(world_.backend->purge(world_.clock.now())).value(); }
  void bury(char letter) {
    world_.append({.enqueue = {world_.job(letter)}});
    world_.append({.finish = {end_of(world_.take(1).at(0), How::dead, {}, "rejected")}});
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, PurgeContract, k_purging_backends, backend_name);

TEST_P(PurgeContract, RemovesExpiredRecordsOnly) {
  world_.put("old", 0, "x");  // expires in an hour
  world_.clock.advance(k_collected_within);
  const auto version = world_.put("young", 0, "y");
  world_.clock.set(k_start + std::chrono::hours(1) - Millis(1));
  EXPECT_EQ(purge().records, 0U);
  world_.clock.advance(k_collected_within);
  EXPECT_EQ(purge().records, 1U);
  EXPECT_EQ(world_.load("old").version, 0U);
  EXPECT_EQ(world_.load("young").version, version);
}

TEST_P(PurgeContract, ACommitMovesTheExpiry) {
  const auto version = world_.put("k", 0, "x");
  world_.clock.advance(std::chrono::minutes(30));
  world_.put("k", version, "y");
  world_.clock.advance(std::chrono::minutes(45));
  EXPECT_EQ(purge().records, 0U);
  EXPECT_EQ(world_.load("k").bytes, "y");
}

TEST_P(PurgeContract, BlanksAndThenRemovesDeadLetters) {
  bury('a');
  EXPECT_EQ(purge().blanked, 0U);
  world_.clock.set(world_.job('a').expires_at);
  EXPECT_EQ(purge().blanked, 1U);
  EXPECT_EQ(purge().blanked, 0U);
  EXPECT_EQ(world_.stats().dead, 1U);
  world_.clock.set(k_start + std::chrono::days(7) - Millis(1));
  EXPECT_EQ(purge().dead_letters, 0U);
  world_.clock.advance(Millis(1));
  EXPECT_EQ(purge().dead_letters, 1U);
  EXPECT_EQ(world_.stats().dead, 0U);
}

TEST_P(PurgeContract, LeavesJobsThatNobodyTook) {
  world_.append({.enqueue = {world_.job('a')}});
  world_.clock.advance(std::chrono::days(400));
  purge();
  EXPECT_EQ(world_.stats().waiting, 1U);
  EXPECT_EQ(world_.take().at(0).sealed, world_.job('a').sealed);
}

// The first instant after k_start whose lines are not removed together with those of k_start.
TimePoint next_audit_unit(AuditUnit unit) {
  if (unit == AuditUnit::line) return k_start + Millis(1);
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(k_start));
  return std::chrono::sys_days(day.year() / (day.month() + std::chrono::months(1)) / 1);
}

TEST_P(PurgeContract, RemovesAuditLinesPastTheirRetention) {
  world_.append({.events = {world_.event()}});
  const TimePoint next = next_audit_unit(GetParam().audit_unit);
  world_.clock.set(next);
  world_.append({.events = {world_.event()}});
  world_.clock.set(next - Millis(2) + std::chrono::days(365));
  EXPECT_EQ(purge().events, 0U);
  world_.clock.advance(Millis(1));
  EXPECT_EQ(purge().events, 1U);
  ASSERT_EQ(world_.events().size(), 1U);
  EXPECT_EQ(world_.events()[0].created_at, next);
}

TEST_P(PurgeContract, RemovesMoreThanASliceHolds) {
  for (int i = 0; i < 50; ++i) {
    otp::Effects effects;
    for (int n = 0; n < 20; ++n) effects.events.push_back(world_.event());
    world_.put("k" + std::to_string(i), 0, "x", std::move(effects));
  }
  world_.clock.advance(std::chrono::days(400));
  const Purged purged = purge();
  EXPECT_EQ(purged.records, 50U);
  EXPECT_EQ(purged.events, 1000U);
  EXPECT_TRUE(world_.events().empty());
}

TEST_P(PurgeContract, NeverGivesAVersionTwiceAfterAPurge) {
  const auto version = world_.put("k", 0, "bytes");
  world_.clock.advance(std::chrono::hours(2));
  ASSERT_EQ(purge().records, 1U);
  EXPECT_EQ(world_.load("k").version, 0U);
  EXPECT_EQ(world_.commit("k", version, "ghost"), otp::CommitResult::conflict);
  EXPECT_NE(world_.put("k", 0, "again"), version);
}

}  // namespace
}  // namespace otpd::storage
