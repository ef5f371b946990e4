#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using testing::HasSubstr;

std::string defences_error(const std::string& lines) {
  return errors(load(lines + "\n"));
}

TEST(ConfigDefences, NothingIsSentForNothing) {
  for (const char* nothing : {"0", "0.0", "0.000000"}) {
    EXPECT_THAT(defences_error(std::string("budget.default_price = \"") + nothing + "\""),
                HasSubstr("budget.default_price = \"" + std::string(nothing) +
                          "\"\n      is no price: what costs nothing passes every budget"));
  }
  EXPECT_THAT(defences_error("budget.prices = [\"+44=0.04\", \"+1=0\"]"),
              HasSubstr("+1=0 is no price"));
  EXPECT_EQ(
      defences_error("budget.default_price = \"0.000001\"\nbudget.prices = [\"+1=0.000001\"]"),
      "fine");
}

TEST(ConfigDefences, ACaptchaIsAskedForBeforeTheLimitIsReached) {
  EXPECT_EQ(defences_error("friction.recipient_sends = 5\nfriction.ip_sends = 100"), "fine");
  EXPECT_THAT(defences_error("friction.recipient_sends = 6"),
              HasSubstr("is more than limits.recipient_sends (5): it would never ask"));
  EXPECT_THAT(defences_error("friction.ip_sends = 101"),
              HasSubstr("is more than limits.ip_sends (100): it would never ask"));
  EXPECT_EQ(defences_error("friction.ip_sends = 101\nlimits.ip_sends = 101"), "fine");
  EXPECT_THAT(defences_error("friction.ip_sends = 90\napplications.shop.limits.ip_sends = 80"),
              HasSubstr("applications.shop.friction.ip_sends = 90\n      is more than"));
}

TEST(ConfigDefences, AStricterLimitNeedsNothingElse) {
  EXPECT_EQ(defences_error("limits.recipient_sends = 1\nlimits.ip_sends = 1"), "fine");
  EXPECT_EQ(defences_error("destinations.block_sends_per_hour = 1"), "fine");
}

TEST(ConfigDefences, TheGuardCanSeeAsMuchAsItWaitsFor) {
  EXPECT_EQ(defences_error("pumping.min_sends = 100"), "fine");
  EXPECT_THAT(defences_error("pumping.min_sends = 101"),
              HasSubstr("is never reached: destinations.block_sends_per_hour (100) lets 100 "
                        "messages to a block through in pumping.window_s"));
  const std::string day = "pumping.window_s = 86400\npumping.min_sends = ";
  EXPECT_EQ(defences_error(day + "2500"), "fine");
  EXPECT_THAT(defences_error(day + "2501"), HasSubstr("lets 2500 messages"));
  EXPECT_EQ(defences_error("pumping.min_sends = 101\ndestinations.block_sends_per_hour = 101"),
            "fine");
  EXPECT_EQ(defences_error("pumping.min_sends = 101\ndestinations.shadow = true"), "fine");
}

}  // namespace
}  // namespace otpd::app
