#include "delivery/route.h"

#include <gtest/gtest.h>

namespace otpd::delivery {
namespace {

std::string lane_for(const RouteTable& table, std::string_view channel, std::string_view address) {
  const Legs* legs = table.find(channel, address);
  return legs == nullptr ? "none" : legs->front().lane;
}

TEST(RouteTable, TheLongestPrefixCounts) {
  RouteTable table;
  table.add("sms", "", {{"world"}});
  table.add("sms", "+1", {{"america"}});
  table.add("sms", "+1684", {{"samoa"}});
  table.add("sms", "+49", {{"germany"}});
  table.add("voice", "+49", {{"calls"}});
  EXPECT_EQ(lane_for(table, "sms", "+14155552671"), "america");
  EXPECT_EQ(lane_for(table, "sms", "+16847331234"), "samoa");
  EXPECT_EQ(lane_for(table, "sms", "+4915112345678"), "germany");
  EXPECT_EQ(lane_for(table, "sms", "+33612345678"), "world");
  EXPECT_EQ(lane_for(table, "voice", "+4915112345678"), "calls");
  EXPECT_EQ(lane_for(table, "voice", "+33612345678"), "none");
  EXPECT_EQ(lane_for(table, "fax", "+33612345678"), "none");
  EXPECT_EQ(table.lanes().size(), 5U);
  EXPECT_EQ(table.channels().size(), 2U);
}

TEST(OrderOf, WithoutWeightsIsTheOrderGiven) {
  SeededRandom random(1);
  const Legs legs = {{"a"}, {"b"}, {"c"}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(order_of(legs, random), (std::vector<std::string_view>{"a", "b", "c"}));
  }
}

TEST(OrderOf, WithWeightsEachLeadsByItsShare) {
  SeededRandom random(1);
  const Legs legs = {{"a", 70}, {"b", 30}, {"last", 0}};
  int a_leads = 0;
  constexpr int k_draws = 10'000;
  for (int i = 0; i < k_draws; ++i) {
    const auto order = order_of(legs, random);
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(order[2], "last");
    a_leads += order[0] == "a" ? 1 : 0;
  }
  EXPECT_NEAR(a_leads, 7'000, 200);  // four standard deviations
}

}  // namespace
}  // namespace otpd::delivery
