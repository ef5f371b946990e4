// What operators see of an application's caps.
#include "gateway/caps_json.h"

#include <gtest/gtest.h>

namespace otpd::gateway {
namespace {

using nlohmann::json;
using otp::Cap;
using otp::Meter;

TEST(CapsJson, TheApplicationsOwnComeFirst) {
  otp::CapRules caps;
  caps.currency = "EUR";
  caps.application[Meter::hour] = Cap{500};
  caps.application[Meter::day] = Cap{2'000, true};
  caps.application[Meter::spent] = Cap{150 * otp::k_micros + 500'000};
  EXPECT_EQ(json(caps_json(caps, false)), json::parse(R"({"currency": "EUR", "application": {
      "sends_per_hour": {"max": 500, "shadow": false},
      "sends_per_day": {"max": 2000, "shadow": true},
      "spent_per_day": {"max": "150.5", "shadow": false}}})"));
}

TEST(CapsJson, AllOfThemNameCountriesPrefixesAndPrices) {
  otp::CapRules caps;
  caps.countries["GB"][Meter::day] = Cap{7};
  caps.prefixes["+44700"][Meter::hour] = Cap{10, true};
  caps.prefix_budgets["+44700"] = Cap{5 * otp::k_micros};
  caps.prefix_budgets["+49"] = Cap{otp::k_micros};
  caps.block = Cap{99};
  caps.block_digits = 3;
  caps.prices["+44"] = 40'000;
  caps.channel_prices["voice"] = {{"", 100'000}, {"+44", 120'000}};
  const json all = caps_json(caps, true);
  EXPECT_EQ(all.at("country").at("sends_per_hour").at("max"), 10'000);
  EXPECT_EQ(all.at("countries"),
            json::parse(R"({"GB": {"sends_per_day": {"max": 7, "shadow": false}}})"));
  EXPECT_EQ(all.at("prefixes"), json::parse(R"({
      "+44700": {"sends_per_hour": {"max": 10, "shadow": true},
                 "spent_per_day": {"max": "5", "shadow": false}},
      "+49": {"spent_per_day": {"max": "1", "shadow": false}}})"));
  EXPECT_EQ(all.at("block"),
            json::parse(R"({"digits": 3, "sends_per_hour": {"max": 99, "shadow": false}})"));
  EXPECT_EQ(all.at("default_price"), "0.05");
  EXPECT_EQ(all.at("prices"),
            json::parse(R"({"+44": "0.04", "voice": "0.1", "voice:+44": "0.12"})"));
  EXPECT_EQ(json(caps_json({}, true)).at("prefixes"), json::object());
}

}  // namespace
}  // namespace otpd::gateway
