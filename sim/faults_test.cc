#include "faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace otpd::sim {
namespace {

constexpr TimePoint k_noon{Millis(1'700'000'000'000)};

FaultPlan plan_of(const char* json) {
  auto plan = parse_faults(json);
  EXPECT_TRUE(plan.has_value()) << json << ": " << (plan ? "" : plan.error().message);
  return plan.value_or(FaultPlan{});
}

TEST(FaultPlan, ReadsEveryMember) {
  const FaultPlan plan = plan_of(
      R"({"error_rate":0.25,"status":429,"code":"21610","latency_ms":40,"hang":true,
          "retry_after":7,"reject_to":["+1","+2"],"accept_then_drop_connection":true,
          "throttle_rate":0.5,"reset_rate":0.1,"garbage_rate":0.2,"lose_rate":0.3,
          "receipts":"out_of_order","receipt_delay_ms":{"p50":100,"p99":900},
          "outage":{"every_s":10,"for_s":2.5,"as":"error"},"seed":42})");
  EXPECT_EQ(plan.error_rate, 0.25);
  EXPECT_EQ(plan.status, 429);
  EXPECT_EQ(plan.code, "21610");
  EXPECT_EQ(plan.latency.low, Millis(40));
  EXPECT_TRUE(plan.hang);
  EXPECT_EQ(plan.retry_after, 7);
  EXPECT_TRUE(plan.reject_to.contains("+2"));
  EXPECT_EQ(plan.drop_rate, 1.0);
  EXPECT_EQ(plan.throttle_rate, 0.5);
  EXPECT_EQ(plan.reset_rate, 0.1);
  EXPECT_EQ(plan.garbage_rate, 0.2);
  EXPECT_EQ(plan.lose_rate, 0.3);
  EXPECT_EQ(plan.receipts, ReceiptMode::out_of_order);
  EXPECT_EQ(plan.receipt_delay.high, Millis(900));
  EXPECT_EQ(plan.outage.length, Millis(2500));
  EXPECT_TRUE(plan.outage.as_error);
  EXPECT_EQ(plan.seed, 42U);
}

TEST(FaultPlan, WritesWhatItReads) {
  for (const char* json :
       {"{}", R"({"latency_ms":{"min":5,"max":50}})", R"({"outage":true})",
        R"({"outage":{"as":"error"}})",
        R"({"outage":{"from":"2025-01-31T08:30:00Z","until":"2025-01-31T08:31:00Z"}})",
        R"({"outage":{"every_s":10,"for_s":2}})", R"({"code":5,"status":500,"seed":1})",
        R"({"receipts":"duplicate","reject_to":["+1"]})"}) {
    const std::string once = faults_to_json(plan_of(json));
    EXPECT_EQ(faults_to_json(plan_of(once.c_str())), once) << json;
  }
  EXPECT_EQ(faults_to_json(plan_of("{}")), faults_to_json(FaultPlan{}));
}

TEST(FaultPlan, RefusesWhatItDoesNotUnderstandByName) {
  struct Case {
    const char* json;
    const char* name;
  };
  for (const auto& [json, name] :
       {Case{R"({"eror_rate":1})", "eror_rate"}, Case{R"({"error_rate":1.5})", "error_rate"},
        Case{R"({"error_rate":"1"})", "error_rate"}, Case{R"({"status":200})", "status"},
        Case{R"({"status":"503"})", "status"}, Case{R"({"latency_ms":-1})", "latency_ms"},
        Case{R"({"latency_ms":{"min":5}})", "latency_ms"},
        Case{R"({"latency_ms":{"min":5,"max":4}})", "latency_ms"},
        Case{R"({"latency_ms":{"p50":0,"p99":4}})", "latency_ms"}, Case{R"({"hang":1})", "hang"},
        Case{R"({"reject_to":"+1"})", "reject_to"}, Case{R"({"reject_to":[1]})", "reject_to"},
        Case{R"({"retry_after":1e99})", "retry_after"}, Case{R"({"code":"a b"})", "code"},
        Case{R"({"receipts":"never"})", "receipts"}, Case{R"({"outage":{"every_s":1}})", "outage"},
        Case{R"({"outage":{"every_s":1,"for_s":2}})", "outage"},
        Case{R"({"outage":{"from":"noon"}})", "outage"}, Case{R"({"seed":-1})", "seed"}}) {
    const auto plan = parse_faults(json);
    ASSERT_FALSE(plan.has_value()) << json;
    EXPECT_TRUE(plan.error().message.ends_with(name)) << plan.error().message;
  }
  for (const char* json : {"", "[]", "{", "1"}) EXPECT_FALSE(parse_faults(json).has_value());
}

TEST(FaultPlan, OutagesHoldWhenTheySay) {
  const Outage window =
      plan_of(R"({"outage":{"from":"2023-11-14T22:13:20Z","until":"2023-11-14T22:13:21Z"}})")
          .outage;
  EXPECT_FALSE(is_out(window, {}, k_noon - Millis(1)));
  EXPECT_TRUE(is_out(window, {}, k_noon));
  EXPECT_TRUE(is_out(window, {}, k_noon + Millis(999)));
  EXPECT_FALSE(is_out(window, {}, k_noon + Millis(1000)));
  const Outage cycle = plan_of(R"({"outage":{"every_s":10,"for_s":2}})").outage;
  EXPECT_TRUE(is_out(cycle, k_noon, k_noon));
  EXPECT_TRUE(is_out(cycle, k_noon, k_noon + Millis(1999)));
  EXPECT_FALSE(is_out(cycle, k_noon, k_noon + Millis(2000)));
  EXPECT_TRUE(is_out(cycle, k_noon, k_noon + Millis(20'000)));
  EXPECT_FALSE(is_out(cycle, k_noon, k_noon - Millis(1)));
  EXPECT_TRUE(is_out(plan_of(R"({"outage":true})").outage, {}, k_noon));
  EXPECT_FALSE(is_out(Outage{}, {}, k_noon));
}

TEST(Faults, StrikesAtItsRate) {
  Faults faults(1);
  faults.set(plan_of(R"({"error_rate":0.25})"), k_noon);
  int struck = 0;
  for (int i = 0; i < 10'000; ++i) struck += faults.decide(k_noon).kind == Fate::Kind::error;
  EXPECT_NEAR(struck, 2'500, 200);
  faults.set(plan_of(R"({"error_rate":1})"), k_noon);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(faults.decide(k_noon).kind, Fate::Kind::error);
  faults.set({}, k_noon);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(faults.decide(k_noon).kind, Fate::Kind::normal);
}

std::vector<Fate::Kind> kinds(Faults& faults, const char* plan) {
  faults.set(plan_of(plan), k_noon);
  std::vector<Fate::Kind> out;
  for (int i = 0; i < 200; ++i) out.push_back(faults.decide(k_noon).kind);
  return out;
}

TEST(Faults, TheSameSeedAndPlanGiveTheSameFates) {
  Faults a(7);
  Faults b(8);
  constexpr const char* k_plan = R"({"error_rate":0.3,"reset_rate":0.1})";
  constexpr const char* k_seeded = R"({"error_rate":0.3,"reset_rate":0.1,"seed":5})";
  const auto first = kinds(a, k_plan);
  EXPECT_EQ(kinds(a, k_plan), first) << "a plan starts the luck anew";
  EXPECT_NE(kinds(b, k_plan), first);
  EXPECT_EQ(kinds(a, k_seeded), kinds(b, k_seeded));
}

TEST(Faults, AnotherFaultDoesNotShiftTheLuckOfOne) {
  Faults faults(7);
  const auto alone = kinds(faults, R"({"error_rate":0.3})");
  const auto both = kinds(faults, R"({"error_rate":0.3,"latency_ms":{"p50":1,"p99":9}})");
  EXPECT_EQ(alone, both);
}

TEST(Faults, AnOutageComesBeforeAllElse) {
  Faults faults(1);
  faults.set(plan_of(R"({"outage":true,"error_rate":1,"throttle_rate":1})"), k_noon);
  EXPECT_EQ(faults.decide(k_noon).kind, Fate::Kind::reset);
  EXPECT_TRUE(faults.is_down(k_noon));
  EXPECT_FALSE(faults.is_refusing(k_noon));
  faults.set(plan_of(R"({"outage":{"as":"error"},"throttle_rate":1})"), k_noon);
  EXPECT_EQ(faults.decide(k_noon).kind, Fate::Kind::error);
  EXPECT_FALSE(faults.is_down(k_noon));
  EXPECT_TRUE(faults.is_refusing(k_noon));
}

std::vector<Millis> sorted_delays(const char* json) {
  const Delay delay = plan_of(json).latency;
  SeededRandom random(3);
  std::vector<Millis> out;
  for (int i = 0; i < 20'000; ++i) out.push_back(pick_delay(delay, random.u64()));
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Delay, HasTheShapeThatItsNumbersSay) {
  const auto fixed = sorted_delays(R"({"latency_ms":70})");
  EXPECT_EQ(fixed.front(), Millis(70));
  EXPECT_EQ(fixed.back(), Millis(70));
  const auto uniform = sorted_delays(R"({"latency_ms":{"min":100,"max":300}})");
  EXPECT_GE(uniform.front(), Millis(100));
  EXPECT_LE(uniform.back(), Millis(300));
  EXPECT_NEAR(static_cast<double>(uniform[10'000].count()), 200, 6);
  const auto lognormal = sorted_delays(R"({"latency_ms":{"p50":200,"p99":2000}})");
  EXPECT_NEAR(static_cast<double>(lognormal[10'000].count()), 200, 10);
  EXPECT_NEAR(static_cast<double>(lognormal[19'800].count()), 2000, 200);
  EXPECT_GT(lognormal.back(), Millis(2000));
}

TEST(FaultBoard, KeepsTheFacesApart) {
  FaultBoard board(1);
  board.of(Face::vonage).set(plan_of(R"({"error_rate":1})"), k_noon);
  EXPECT_EQ(board.of(Face::vonage).decide(k_noon).kind, Fate::Kind::error);
  EXPECT_EQ(board.of(Face::twilio).decide(k_noon).kind, Fate::Kind::normal);
  board.set_all(plan_of(R"({"throttle_rate":1})"), k_noon);
  EXPECT_EQ(board.of(Face::vonage).decide(k_noon).kind, Fate::Kind::throttle);
  EXPECT_EQ(board.common().throttle_rate, 1);
}

}  // namespace
}  // namespace otpd::sim
