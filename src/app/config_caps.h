// The text forms of caps and prices, and what they come to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/config.h"
#include "otp/caps.h"

namespace otpd::app {

// "GB=500/hour" or "+44700=10/day": what is capped, how many, and in which window.
struct CapEntry {
  std::string name;
  std::uint64_t max = 0;
  otp::Meter meter = otp::Meter::hour;
};
std::optional<CapEntry> parse_cap(std::string_view text);

// "GB=100.00" or "+44=0.04": an amount of money.
struct MoneyEntry {
  std::string name;
  otp::Micros amount = 0;
};
std::optional<MoneyEntry> parse_money_entry(std::string_view text);

// "+44=0.04", "voice:+44=0.12" or "voice=0.10": what a message costs. Without a channel it is for
// all of them, without a prefix for every number.
struct PriceEntry {
  std::string channel;
  std::string prefix;
  otp::Micros amount = 0;
};
std::optional<PriceEntry> parse_price_entry(std::string_view text);

// Forms of keys: a cap or an amount, of a country or of a prefix.
bool is_country_cap(std::string_view text);
bool is_prefix_cap(std::string_view text);
bool is_country_budget(std::string_view text);  // more than nothing
bool is_prefix_budget(std::string_view text);   // more than nothing
bool is_price_entry(std::string_view text);
bool is_price(std::string_view text);
bool is_budget(std::string_view text);  // more than nothing
bool is_currency(std::string_view text);

// The configuration has made sure that every text has its form.
otp::CapRules make_caps(const Config& config);

}  // namespace otpd::app
