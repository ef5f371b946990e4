#include "app/config_caps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/assemble.h"
#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using otp::Meter;
using testing::HasSubstr;

TEST(ConfigCaps, EverythingIsCappedUnlessToldOtherwise) {
  const otp::Rules rules = make_rules(load("").value().config);
  for (const Meter meter : otp::k_meters) {
    ASSERT_TRUE(rules.caps.application[meter]);
    ASSERT_TRUE(rules.caps.country[meter]);
    EXPECT_FALSE(rules.caps.application[meter]->shadow);
    EXPECT_FALSE(rules.caps.country[meter]->shadow);
  }
  EXPECT_EQ(rules.caps.application, otp::CapRules().application);
  EXPECT_EQ(rules.caps.country, otp::CapRules().country);
  EXPECT_EQ(rules.caps.block, otp::CapRules().block);
  EXPECT_EQ(rules.limits.ip_countries.max, otp::Limits().ip_countries.max);
  EXPECT_EQ(rules.limits.friction.application_percent, otp::Friction().application_percent);
}

TEST(ConfigCaps, AllOfItIsRead) {
  const auto loaded = load(R"(
limits.application_sends_per_hour = 7
limits.application_sends_per_day = 70
limits.ip_countries = 3
limits.shadow = true
destinations.country_sends_per_hour = 5
destinations.country_limits = ["GB=2/hour", "GB=9/day", "ZZ=1/day"]
destinations.prefix_limits = ["+44700=3/hour", "+44=4/day"]
destinations.block_digits = 3
destinations.block_sends_per_hour = 6
budget.currency = "EUR"
budget.default_price = "0.07"
budget.prices = ["+1=0.0079", "+44=0.04", "voice=0.1", "voice:+44=0.12", "sms:+44=0"]
budget.per_day = "12.5"
budget.country_per_day = "3"
budget.country_limits = ["FR=1.000001"]
budget.prefix_limits = ["+882=0.5"]
pumping.min_sends = 10
pumping.min_percent = 20
pumping.close_s = 60
pumping.shadow = true)");
  ASSERT_TRUE(loaded) << errors(loaded);
  const otp::Rules rules = make_rules(loaded->config);
  const otp::CapRules& caps = rules.caps;
  EXPECT_EQ(caps.application,
            (otp::AllowanceCaps{{otp::Cap{7, true}, otp::Cap{70, true}, otp::Cap{12'500'000}}}));
  EXPECT_EQ(caps.countries.at("GB"),
            (otp::AllowanceCaps{{otp::Cap{2}, otp::Cap{9}, otp::Cap{3'000'000}}}));
  EXPECT_EQ(caps.countries.at("ZZ")[Meter::hour]->max, 5U);
  EXPECT_EQ(caps.countries.at("FR")[Meter::spent]->max, 1'000'001U);
  EXPECT_EQ(caps.prefixes.at("+44700")[Meter::hour]->max, 3U);
  EXPECT_FALSE(caps.prefixes.at("+44")[Meter::hour]);
  EXPECT_EQ(caps.prefix_budgets.at("+882").max, 500'000U);
  EXPECT_EQ(caps.prices.at("+1"), 7'900U);
  EXPECT_EQ(caps.channel_prices.at("voice"),
            (otp::ByPrefix<otp::Micros>{{"", 100'000}, {"+44", 120'000}}));
  EXPECT_EQ(caps.channel_prices.at("sms").at("+44"), 0U);
  EXPECT_FALSE(caps.channel_prices.contains("whatsapp"));
  EXPECT_EQ(caps.default_price, 70'000U);
  EXPECT_EQ(caps.currency, "EUR");
  EXPECT_EQ(caps.block_digits, 3U);
  EXPECT_EQ(caps.block.max, 6U);
  EXPECT_EQ(caps.pumping.min_percent, 20U);
  EXPECT_EQ(caps.pumping.first, Millis(60'000));
  EXPECT_TRUE(caps.pumping.shadow);
  EXPECT_TRUE(rules.limits.ip_countries_shadow);
  EXPECT_EQ(rules.limits.ip_countries.max, 3U);
}

TEST(ConfigCaps, EachShadowIsItsSections) {
  const auto caps = [](const char* toml) { return make_rules(load(toml).value().config).caps; };
  const auto of_destinations = caps("destinations.shadow = true");
  EXPECT_TRUE(of_destinations.country[Meter::hour]->shadow && of_destinations.block.shadow);
  EXPECT_FALSE(of_destinations.country[Meter::spent]->shadow);
  EXPECT_FALSE(of_destinations.application[Meter::hour]->shadow);
  const auto of_budget = caps("budget.shadow = true");
  EXPECT_TRUE(of_budget.country[Meter::spent]->shadow &&
              of_budget.application[Meter::spent]->shadow);
  EXPECT_FALSE(of_budget.country[Meter::hour]->shadow);
}

// No entry of a list and no amount means "unlimited" either.
TEST(ConfigCaps, WhatIsNoCapIsRefused) {
  const char* hostile[] = {"",
                           "0",
                           "-1",
                           "unlimited",
                           "none",
                           "inf",
                           "1e9",
                           "01",
                           "30000001/hour",
                           "99999999999999999999/hour",
                           "0/hour",
                           "-1/hour",
                           "5",
                           "5/",
                           "5/week",
                           "/hour",
                           " 5/hour",
                           "5 /hour",
                           "1.5/hour"};
  for (const char* value : hostile) {
    for (const auto& [key, name] : {std::pair("destinations.country_limits", "GB"),
                                    std::pair("destinations.prefix_limits", "+44")}) {
      const std::string line = std::string(key) + " = [\"" + name + "=" + value + "\"]";
      EXPECT_FALSE(load(line)) << line;
    }
  }
  for (const char* name : {"", "gb", "GBR", "+44", "*"}) {
    EXPECT_FALSE(load("destinations.country_limits = [\"" + std::string(name) + "=1/hour\"]"));
  }
  for (const char* name : {"", "+", "44", "+0", "+4a", "+4412345678901", "GB"}) {
    EXPECT_FALSE(load("destinations.prefix_limits = [\"" + std::string(name) + "=1/hour\"]"));
  }
}

TEST(ConfigCaps, WhatIsNoBudgetIsRefused) {
  for (const char* value :
       {"\"\"", "\"0\"", "\"0.0\"", "\"-1\"", "\"unlimited\"", "\"1000000000000\"", "\"1e3\"",
        "\"0.0000001\"", "0", "5", "-1", "inf", "true", "[]"}) {
    for (const char* key : {"budget.per_day", "budget.country_per_day"}) {
      const std::string line = std::string(key) + " = " + value;
      EXPECT_FALSE(load(line)) << line;
    }
  }
  for (const char* value : {"", "0", "-1", "0.000000", "unlimited", "1000000000000"}) {
    EXPECT_FALSE(load("budget.country_limits = [\"GB=" + std::string(value) + "\"]")) << value;
    EXPECT_FALSE(load("budget.prefix_limits = [\"+44=" + std::string(value) + "\"]")) << value;
  }
  EXPECT_FALSE(load("budget.default_price = \"-0.01\""));
  EXPECT_FALSE(load("budget.prices = [\"+44=-0.01\"]"));
  EXPECT_FALSE(load("budget.currency = \"usd\""));
  EXPECT_TRUE(load("budget.prices = [\"+44=0\"]"));  // what costs nothing is still counted
}

TEST(ConfigCaps, WhatIsNoPriceIsRefused) {
  for (const char* name :
       {"",           "+",          "44",        "+0",   "GB",       "email",       "email:+44",
        "fax:+44",    "Voice:+44",  "voice:",    ":+44", "voice:44", "voice:voice", "voice:+44:+1",
        "voice: +44", " voice:+44", "+44:voice", "*",    "voice:*",  "default"}) {
    const std::string entry = std::string(name) + "=0.1";
    EXPECT_FALSE(load("budget.prices = [\"" + entry + "\"]")) << entry;
    EXPECT_THAT(errors(load("budget.prices = [\"+1=1\", \"" + entry + "\", \"+2\"]")),
                HasSubstr("; \"" + entry + "\" is none"));
  }
  for (const char* amount : {"", "-0.01", "+1", "0.0000001", "1000000000000", "1e3", "1,5", "01",
                             " 1", "none", "unlimited", "free", "0.1=0.2"}) {
    for (const char* name : {"+44", "voice", "whatsapp:+44"}) {
      const std::string line =
          "budget.prices = [\"" + std::string(name) + "=" + std::string(amount) + "\"]";
      EXPECT_FALSE(load(line)) << line;
    }
  }
}

// Whatever a message costs, the budgets stay what they are.
TEST(ConfigCaps, NoPriceLiftsABudget) {
  for (const char* prices :
       {"", "\"voice=0\"", "\"sms=0\", \"voice=0\", \"whatsapp=0\", \"+4=0\""}) {
    const auto loaded =
        load("budget.default_price = \"0\"\nbudget.prices = [" + std::string(prices) + "]");
    ASSERT_TRUE(loaded) << errors(loaded);
    const otp::CapRules caps = make_rules(loaded->config).caps;
    EXPECT_EQ(caps.application, otp::CapRules().application);
    EXPECT_EQ(caps.country, otp::CapRules().country);
  }
}

TEST(ConfigCaps, NothingIsSaidTwice) {
  EXPECT_THAT(errors(load("budget.prices = [\"voice:+44=1\", \"+44=1\", \"voice:+44=2\"]")),
              HasSubstr("says two things about voice:+44"));
  EXPECT_THAT(errors(load("budget.prices = [\"voice=1\", \"voice=1\"]")),
              HasSubstr("says two things about voice"));
  EXPECT_THAT(errors(load("destinations.country_limits = [\"GB=1/hour\", \"GB=9/hour\"]")),
              HasSubstr("says two things about GB"));
  EXPECT_THAT(errors(load("destinations.prefix_limits = [\"+44=1/day\", \"+44=9/day\"]")),
              HasSubstr("says two things about +44"));
  EXPECT_THAT(errors(load("budget.prices = [\"+44=1\", \"+44=2\"]")),
              HasSubstr("says two things about +44"));
  EXPECT_THAT(errors(load("budget.country_limits = [\"GB=1\", \"GB=2\"]")),
              HasSubstr("says two things about GB"));
  EXPECT_THAT(errors(load("budget.prefix_limits = [\"+1=1\", \"+1=2\"]")),
              HasSubstr("says two things about +1"));
}

TEST(ConfigCaps, TheTimesOfThePumpingGuardFitOneAnother) {
  EXPECT_THAT(errors(load("pumping.close_s = 7200\npumping.max_close_s = 3600")),
              HasSubstr("must not be less than pumping.close_s"));
  EXPECT_THAT(errors(load("pumping.window_s = 600\npumping.grace_s = 301")),
              HasSubstr("must not be more than half"));
}

}  // namespace
}  // namespace otpd::app
