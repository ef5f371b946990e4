#include "faults.h"

#include <gtest/gtest.h>

namespace otpd::sim {
namespace {

TEST(Faults, ReadsAPlan) {
  const auto plan = parse_faults(
      R"({"error_rate":0.25,"status":429,"latency_ms":40,"hang":true,"retry_after":7,
          "reject_to":["+1","+2"],"accept_then_drop_connection":true})");
  ASSERT_TRUE(plan.has_value()) << plan.error().message;
  EXPECT_EQ(plan->error_rate, 0.25);
  EXPECT_EQ(plan->status, 429);
  EXPECT_EQ(plan->latency, Millis(40));
  EXPECT_TRUE(plan->hang);
  EXPECT_EQ(plan->retry_after, 7);
  EXPECT_TRUE(plan->reject_to.contains("+2"));
  EXPECT_EQ(plan->drop_rate, 1.0);
  const auto again = parse_faults(faults_to_json(*plan));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(faults_to_json(*again), faults_to_json(*plan));
  EXPECT_EQ(faults_to_json(*parse_faults("{}")), faults_to_json(FaultPlan{}));
}

TEST(Faults, RefusesWhatItDoesNotUnderstand) {
  for (const char* json :
       {"", "[]", "{", R"({"eror_rate":1})", R"({"error_rate":1.5})", R"({"error_rate":"1"})",
        R"({"status":200})", R"({"status":"503"})", R"({"latency_ms":-1})", R"({"hang":1})",
        R"({"reject_to":"+1"})", R"({"reject_to":[1]})", R"({"retry_after":1e99})"}) {
    EXPECT_FALSE(parse_faults(json).has_value()) << json;
  }
}

TEST(Faults, StrikesAtItsRate) {
  Faults faults(1);
  int struck = 0;
  for (int i = 0; i < 10'000; ++i) struck += faults.strikes(0.25) ? 1 : 0;
  EXPECT_NEAR(struck, 2'500, 200);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(faults.strikes(0));
    EXPECT_TRUE(faults.strikes(1));
  }
}

}  // namespace
}  // namespace otpd::sim
