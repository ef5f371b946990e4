#include "storage/redis/write.h"

#include <gmock/gmock.h>

#include "audit/chain.h"
#include "storage/redis/scripts.h"

namespace otpd::storage::redis {
namespace {

using ::testing::ElementsAre;
using How = otp::JobEnd::How;

constexpr TimePoint k_write_now{Millis(1'800'000'000'000)};
const WriteRules k_write_rules{
    .now = k_write_now, .max_backlog = 9, .dead_letters = std::chrono::days(7)};

const std::string k_write_id(16, 'i');

otp::NewJob new_job(std::string key, Millis due_in = Millis(0)) {
  return {.id = k_write_id,
          .key = std::move(key),
          .due_at = k_write_now + due_in,
          .expires_at = k_write_now + Millis(1'000),
          .sealed = "sealed"};
}

otp::JobEnd job_end(Partition partition, How how) {
  return {.id = k_write_id,
          .lease = pack({.partition = partition, .times = 2, .number = 5}),
          .how = how,
          .due_at = k_write_now,
          .reason = "why"};
}

audit::Event an_event() {
  audit::Event event;
  event.id = "018f";
  event.event_type = "send";
  return event;
}

// Two keys of different partitions.
const otp::Key k_here = "here";
const otp::Key k_there = "there";
constexpr std::uint32_t k_many = 64;
const Partition k_here_is = partition_of(k_here, k_many);
const Partition k_there_is = partition_of(k_there, k_many);

NewState a_state(const std::string& bytes) {
  return {&k_here, 7, 8, &bytes, k_write_now + Millis(500)};
}

TEST(RedisWrite, ACommitIsOneStepWithAllItsJobsAndEvents) {
  ASSERT_NE(k_here_is, k_there_is);
  const std::string bytes = "bytes";
  const otp::Effects effects{.enqueue = {new_job(k_there)},
                             .finish = {job_end(k_here_is, How::done)},
                             .events = {an_event()}};
  const auto writes = plan_commit(a_state(bytes), effects, k_many);
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].partition, k_here_is);
  const Names names("p", k_here_is);
  const auto call = write_call(writes[0], names, k_write_rules);
  EXPECT_EQ(call.key, names.doorbell());
  EXPECT_EQ(call.script, &write_script());
  EXPECT_EQ(call.keys, 6U);
  EXPECT_THAT(call.words,
              ElementsAre(names.record(k_here), names.events(), names.due(), names.held(),
                          names.job(k_write_id), names.job(k_write_id), version_text(7),
                          record_value(8, bytes), "60500", "9", names.doorbell(),  //
                          "e", audit::canonical(an_event()),                       //
                          "n", member(k_write_id, 0), "1800000000000", job_value(new_job(k_there)),
                          "86401000",  //
                          "d", member(k_write_id, effects.finish[0].lease)));
}

TEST(RedisWrite, AStateAloneTouchesItsRecordAlone) {
  const std::string bytes = "bytes";
  const otp::Effects nothing;
  const auto writes = plan_commit(a_state(bytes), nothing, k_many);
  ASSERT_EQ(writes.size(), 1U);
  const auto call = write_call(writes[0], Names("p", k_here_is), k_write_rules);
  EXPECT_EQ(call.keys, 1U);
  EXPECT_EQ(call.words.size(), 6U);
}

TEST(RedisWrite, AnEmptyStateDeletes) {
  const std::string none;
  const otp::Effects nothing;
  const auto writes = plan_commit(a_state(none), nothing, k_many);
  const auto call = write_call(writes[0], Names("p", k_here_is), k_write_rules);
  EXPECT_EQ(call.words[2], "");
  EXPECT_NE(call.words[3], "") << "without a life there is no state";
}

TEST(RedisWrite, JobsOfOtherPartitionsEndAfterTheCommit) {
  const std::string bytes = "bytes";
  const otp::Effects effects{
      .finish = {job_end(k_there_is, How::done), job_end(k_here_is, How::done)},
      .events = {an_event()}};
  const auto writes = plan_commit(a_state(bytes), effects, k_many);
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_TRUE(writes[0].state);
  EXPECT_EQ(writes[0].finish, std::vector{&effects.finish[1]});
  EXPECT_EQ(writes[0].events.size(), 1U);
  EXPECT_EQ(writes[1].partition, k_there_is);
  EXPECT_EQ(writes[1].finish, std::vector{&effects.finish[0]});
  EXPECT_FALSE(writes[1].state);
  EXPECT_TRUE(writes[1].events.empty());
}

TEST(RedisWrite, AppendWritesEachJobWhereItIsAndEventsWithTheFirst) {
  const otp::Effects effects{.enqueue = {new_job(k_here)},
                             .finish = {job_end(k_there_is, How::done)},
                             .events = {an_event(), an_event()}};
  const auto writes = plan_append(effects, k_many);
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_EQ(writes[0].partition, k_there_is);
  EXPECT_EQ(writes[0].events.size(), 2U);
  EXPECT_EQ(writes[1].partition, k_here_is);
  EXPECT_TRUE(writes[1].events.empty());
}

TEST(RedisWrite, EventsAloneGoWhereTheFirstOnesIdSays) {
  const otp::Effects effects{.events = {an_event(), an_event()}};
  const auto writes = plan_append(effects, k_many);
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].partition, partition_of("018f", k_many));
  const auto call = write_call(writes[0], Names("p", writes[0].partition), k_write_rules);
  EXPECT_EQ(call.keys, 2U);
}

TEST(RedisWrite, EndsWithoutALeaseAreNothing) {
  otp::JobEnd none = job_end(k_here_is, How::done);
  none.lease = 0;
  const otp::JobEnd nowhere = job_end(k_many, How::done);
  const otp::Effects effects{.finish = {none, nowhere}};
  EXPECT_TRUE(plan_append(effects, k_many).empty());
}

TEST(RedisWrite, RingsOnlyForWhatIsDue) {
  const auto bell = [](const otp::Effects& effects) {
    const auto writes = plan_append(effects, 1);
    const auto call = write_call(writes[0], Names("p", 0), k_write_rules);
    return call.words[call.keys + 4];
  };
  EXPECT_EQ(bell({.enqueue = {new_job("k")}}), "p:{p0}");
  EXPECT_EQ(bell({.enqueue = {new_job("k", Millis(1))}}), "");
  EXPECT_EQ(bell({.finish = {job_end(0, How::retry)}}), "p:{p0}");
  EXPECT_EQ(bell({.finish = {job_end(0, How::done)}}), "");
}

TEST(RedisWrite, ARetryKeepsHowOftenItWasTakenAndDropsTheLease) {
  const otp::Effects effects{.finish = {job_end(0, How::retry)}};
  const auto writes = plan_append(effects, 1);
  const auto call = write_call(writes[0], Names("p", 0), k_write_rules);
  const Lease again = unpack(lease_in(call.words[call.keys + 7]).value());
  EXPECT_EQ(again, (Lease{.partition = 0, .times = 2, .number = 0}));
}

TEST(RedisWrite, TheDeadSetIsTheLastKey) {
  const otp::Effects effects{.finish = {job_end(0, How::dead), job_end(0, How::done)}};
  const auto writes = plan_append(effects, 1);
  const Names names("p", 0);
  const auto call = write_call(writes[0], names, k_write_rules);
  EXPECT_THAT(std::vector(call.words.begin() + 4, call.words.begin() + call.keys),
              ElementsAre(names.job(k_write_id), names.sealed(k_write_id), names.job(k_write_id),
                          names.dead()));
}

TEST(RedisWrite, LivesAreRelativeAndBounded) {
  constexpr Millis k_slack{60'000};
  EXPECT_EQ(life(k_write_now + Millis(5), k_write_now, k_slack), Millis(60'005));
  EXPECT_EQ(life(k_write_now, k_write_now, k_slack), k_slack);
  EXPECT_EQ(life(TimePoint{}, k_write_now, k_slack), k_slack);
  EXPECT_EQ(life(TimePoint::min(), k_write_now, k_slack), k_slack);
  EXPECT_EQ(life(TimePoint::max(), k_write_now, k_slack), std::chrono::days(3650));
}

}  // namespace
}  // namespace otpd::storage::redis
