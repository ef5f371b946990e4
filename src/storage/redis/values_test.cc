#include "storage/redis/values.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/redis/events.h"
#include "storage/redis/opening.h"

namespace otpd::storage::redis {
namespace {

constexpr TimePoint k_values_now{Millis(1'800'000'000'000)};

TEST(RedisNames, APartitionNeverChanges) {
  EXPECT_EQ(partition_of("", 64), 1U);
  EXPECT_EQ(partition_of("a", 64), 0U);
  EXPECT_EQ(partition_of(std::string("R\0\xff", 3), 64), 9U);
  EXPECT_EQ(partition_of("anything", 1), 0U);
}

TEST(RedisNames, KeysSpreadOverAllPartitions) {
  std::vector<int> counts(64);
  for (int i = 0; i < 64'000; ++i) ++counts[partition_of("R" + std::to_string(i), 64)];
  for (const int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1'150);
  }
}

TEST(RedisNames, OfAPartitionShareOneTagAndNoName) {
  const Names names("otpd", 17);
  std::set<std::string> all;
  for (const std::string& name : {names.record("k"), names.job("k"), names.sealed("k"),
                                  names.events(), names.due(), names.held(), names.dead()}) {
    EXPECT_EQ(name.find("otpd:{p17}:"), 0U) << name;
    all.insert(name);
  }
  EXPECT_EQ(all.size(), 7U);
  EXPECT_EQ(names.doorbell(), "otpd:{p17}");
  EXPECT_EQ(names.job("id"), names.jobs() + "id");
}

TEST(RedisValues, ARecordComesBack) {
  const std::string bytes("\0\xff bytes", 8);
  const auto record = read_record(record_value(0x0102030405060708, bytes));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->version, 0x0102030405060708U);
  EXPECT_EQ(record->bytes, bytes);
  EXPECT_EQ(version_text(0x0102030405060708), "\1\2\3\4\5\6\7\10");
  EXPECT_EQ(version_text(0), "");
  EXPECT_FALSE(read_record(version_text(1)));
  EXPECT_FALSE(read_record(""));
}

TEST(RedisValues, ALeaseComesBack) {
  const Lease lease{.partition = 16'383, .times = 65'535, .number = 0xfedcba98};
  EXPECT_EQ(unpack(pack(lease)), lease);
  const std::string id(16, 'i');
  const std::string place = member(id, pack(lease));
  EXPECT_EQ(place.size(), 24U);
  EXPECT_EQ(lease_in(place), pack(lease));
  EXPECT_FALSE(lease_in(id));
  EXPECT_FALSE(lease_in("-"));
}

TEST(RedisValues, AJobComesBack) {
  const otp::NewJob job{.id = std::string(16, 'j'),
                        .key = std::string("w\0key", 5),
                        .due_at = k_values_now,
                        .expires_at = k_values_now + Millis(300'001),
                        .sealed = std::string("s\0ealed", 7)};
  const Lease lease{.partition = 3, .times = 2, .number = 9};
  const auto read = read_job(member(job.id, pack(lease)), time_text(job.due_at), job_value(job));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, job.id);
  EXPECT_EQ(read->key, job.key);
  EXPECT_EQ(read->due_at, job.due_at);
  EXPECT_EQ(read->expires_at, job.expires_at);
  EXPECT_EQ(read->sealed, job.sealed);
  EXPECT_EQ(read->attempt, 2U);
  EXPECT_EQ(read->lease, pack(lease));
}

TEST(RedisValues, WhatIsNoJobIsNotRead) {
  const std::string place = member(std::string(16, 'j'), 1);
  const std::string value = job_value({.id = {}, .key = "key", .due_at = {}, .expires_at = {}});
  EXPECT_TRUE(read_job(place, "1800000000000", value));
  EXPECT_FALSE(read_job("-", "1800000000000", value));
  EXPECT_FALSE(read_job(place, "inf", value));
  EXPECT_FALSE(read_job(place, "1800000000000", value.substr(0, value.size() - 1)));
  EXPECT_FALSE(read_job(place, "1800000000000", ""));
  EXPECT_FALSE(read_job(place, "1800000000000", "x" + value.substr(1)));
}

TEST(RedisValues, ALetterComesBack) {
  const TimePoint expires_at = k_values_now + Millis(5);
  const std::string value = letter_text(k_values_now, 12, "carrier: no") + time_text(expires_at);
  const auto letter = read_letter("id", value);
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->id, "id");
  EXPECT_EQ(letter->reason, "carrier: no");
  EXPECT_EQ(letter->attempts, 12U);
  EXPECT_EQ(letter->died_at, k_values_now);
  EXPECT_EQ(letter->expires_at, expires_at);
  EXPECT_FALSE(read_letter("id", value.substr(1, 25)));
}

TEST(RedisValues, TimesHaveThirteenDigits) {
  EXPECT_EQ(time_text(TimePoint(Millis(7))), "0000000000007");
  EXPECT_EQ(time_text(TimePoint(Millis(-7))), "0000000000000");
  EXPECT_EQ(time_text(TimePoint::max()), "9999999999999");
  EXPECT_EQ(read_time("1800000000000"), k_values_now);
  for (const char* other : {"", "inf", "-1", "12x"}) EXPECT_FALSE(read_time(other)) << other;
}

TEST(RedisEvents, TheMarkAfterAMark) {
  EXPECT_EQ(mark_after("1700000000000-0"), "1700000000000-1");
  EXPECT_EQ(mark_after("1700000000000-99"), "1700000000000-100");
  EXPECT_FALSE(mark_after("1700000000000-18446744073709551615"));
  EXPECT_FALSE(mark_after("1700000000000"));
  EXPECT_FALSE(mark_after("1700000000000-"));
  EXPECT_FALSE(mark_after("1700000000000-1x"));
}

TEST(RedisOpening, RefusesServersThatCannotServe) {
  const auto info = [](const std::string& version, const std::string& policy) {
    return "# Server\r\nredis_version:" + version + "\r\nos:x\r\nmaxmemory_policy:" + policy +
           "\r\n";
  };
  EXPECT_TRUE(check_info(info("7.0.15", "noeviction")));
  EXPECT_TRUE(check_info(info("10.2.0", "noeviction")));
  EXPECT_TRUE(check_info("")) << "what is not told is not objected to";
  const auto old = check_info(info("6.2.14", "noeviction"));
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().kind, Failure::invalid);
  EXPECT_NE(old.error().message.find("6.2.14"), std::string::npos);
  const auto evicts = check_info(info("7.0.15", "allkeys-lru"));
  ASSERT_FALSE(evicts);
  EXPECT_EQ(evicts.error().kind, Failure::invalid);
  EXPECT_NE(evicts.error().message.find("allkeys-lru"), std::string::npos);
}

}  // namespace
}  // namespace otpd::storage::redis
