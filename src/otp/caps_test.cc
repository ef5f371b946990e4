#include "otp/caps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace otpd::otp {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view k_caps_index = "0123456789abcdef0123456789abcdef";

Recipient caps_phone(const std::string& number, const std::string& country = "GB") {
  return {Recipient::Kind::phone, Secret(std::string(number)), Secret(std::string(number)),
          country};
}
Recipient caps_mail() {
  return {Recipient::Kind::email, Secret(std::string("ada@example.com")),
          Secret(std::string("ada@example.com")), ""};
}

std::vector<std::string> caps_scopes(const CapRules& rules, const Recipient& recipient) {
  std::vector<std::string> found;
  for (const CapScope& scope : scopes_of(rules, recipient)) {
    found.push_back(std::string(scope.limit) + " " + std::string(scope.name));
  }
  return found;
}

TEST(Caps, MoneyIsReadExactly) {
  const std::pair<const char*, Micros> good[] = {
      {"0", 0},
      {"0.000001", 1},
      {"0.1", 100'000},
      {"0.0079", 7'900},
      {"12", 12'000'000},
      {"12.50", 12'500'000},
      {"0.123456", 123'456},
      {"999999999999.999999", 999'999'999'999'999'999},
  };
  for (const auto& [text, micros] : good) EXPECT_EQ(parse_money(text), micros) << text;
  for (const char* bad : {"",          ".",         ".5",
                          "5.",        "-1",        "+1",
                          "01",        "00",        "1e3",
                          "0x1",       "1,5",       " 1",
                          "1 ",        "1.0000001", "1000000000000",
                          "1.2.3",     "NaN",       "inf",
                          "unlimited", "1.-1",      "18446744073709551616"}) {
    EXPECT_EQ(parse_money(bad), std::nullopt) << bad;
  }
}

TEST(Caps, MoneyIsShownAsItIsRead) {
  for (const char* text :
       {"0", "0.000001", "0.1", "0.0079", "12", "12.5", "10", "1000000", "999999999999.999999"}) {
    EXPECT_EQ(format_money(parse_money(text).value()), text);
  }
  EXPECT_EQ(format_money(parse_money("12.500").value()), "12.5");
}

TEST(Caps, TheLongestPrefixSaysThePrice) {
  CapRules rules;
  rules.default_price = 5;
  rules.prices = {{"+4", 10}, {"+44", 20}, {"+4470", 30}};
  EXPECT_EQ(price_of(rules, caps_phone("+447012345678"), "sms"), 30U);
  EXPECT_EQ(price_of(rules, caps_phone("+447112345678"), "voice"), 20U);
  EXPECT_EQ(price_of(rules, caps_phone("+4915112345678"), "whatsapp"), 10U);
  EXPECT_EQ(price_of(rules, caps_phone("+14155552671"), "sms"), 5U);
  EXPECT_EQ(price_of(rules, caps_mail(), "email"), 0U);
}

TEST(Caps, APriceOfTheChannelGoesBeforeOneOfAll) {
  CapRules rules;
  rules.default_price = 5;
  rules.prices = {{"+44", 20}, {"+4470", 30}};
  rules.channel_prices["voice"] = {{"", 100}, {"+44", 200}, {"+447", 300}};
  rules.channel_prices["whatsapp"] = {{"+447", 7}};
  const std::tuple<const char*, const char*, Micros> cases[] = {
      {"sms", "+447012345678", 30},     {"sms", "+14155552671", 5},
      {"voice", "+447012345678", 300},  // though +4470 is longer
      {"voice", "+442012345678", 200},  {"voice", "+14155552671", 100},
      {"whatsapp", "+447012345678", 7}, {"whatsapp", "+442012345678", 20},
      {"whatsapp", "+14155552671", 5},
  };
  for (const auto& [channel, number, price] : cases) {
    EXPECT_EQ(price_of(rules, caps_phone(number), channel), price) << channel << " " << number;
  }
  EXPECT_EQ(price_of(rules, caps_mail(), "email"), 0U);
}

TEST(Caps, ASendCountsForWhateverItIsPartOf) {
  CapRules rules;
  rules.prefixes["+44"] = {{Cap{9}}};
  rules.prefixes["+4470"] = {{Cap{3}}};
  rules.prefix_budgets["+447"] = {100};
  EXPECT_THAT(
      caps_scopes(rules, caps_phone("+447012345678")),
      ElementsAre("block +44701234", "prefix +4470", "prefix +447", "country GB", "application "));
  EXPECT_THAT(caps_scopes(rules, caps_phone("+14155552671", "US")),
              ElementsAre("block +1415555", "country US", "application "));
  EXPECT_THAT(caps_scopes(rules, caps_phone("+80012345678", "")),
              ElementsAre("block +8001234", "country ZZ", "application "));
  EXPECT_THAT(caps_scopes(rules, caps_mail()), ElementsAre("application "));
}

TEST(Caps, ACountryMayHaveItsOwn) {
  CapRules rules;
  rules.countries["FR"] = {{Cap{7}, Cap{70}, Cap{700}}};
  const auto of = [&](const char* country) {
    return scopes_of(rules, caps_phone("+33612345678", country))[1].caps;
  };
  EXPECT_EQ(of("FR")[Meter::day]->max, 70U);
  EXPECT_EQ(of("DE"), rules.country);
}

TEST(Caps, ABlockIsTheNumberWithoutItsLastDigits) {
  CapRules rules;
  const std::pair<std::uint32_t, const char*> cases[] = {
      {2, "+141555526"}, {4, "+1415555"}, {6, "+14155"}, {20, "+1"}};
  for (const auto& [digits, block] : cases) {
    rules.block_digits = digits;
    EXPECT_EQ(block_of(rules, caps_phone("+14155552671")), block);
  }
  EXPECT_EQ(block_of(rules, caps_mail()), "");
}

TEST(Caps, NoScopeSharesARecordWithAnother) {
  std::set<Key> keys;
  const AllowanceCaps sends{{Cap{1}}};
  const AllowanceCaps money{{std::nullopt, std::nullopt, Cap{1}}};
  std::size_t scopes = 0;
  for (const char* application : {"a", "b"}) {
    for (const CapScope& scope :
         {CapScope{"application", "", sends}, CapScope{"country", "GB", sends},
          CapScope{"country", "DE", sends}, CapScope{"prefix", "+44", sends},
          CapScope{"prefix", "+44", money}, CapScope{"block", "+44", sends}}) {
      keys.insert(allowance_key(k_caps_index, application, scope));
      ++scopes;
    }
    keys.insert(closed_blocks_key(k_caps_index, application));
    ++scopes;
  }
  EXPECT_EQ(keys.size(), scopes);
}

TEST(Caps, EveryRefusalHasItsReason) {
  EXPECT_EQ(reason_of({"application", "", {}}, Meter::hour), "application_hour");
  EXPECT_EQ(reason_of({"application", "", {}}, Meter::spent), "budget_application");
  EXPECT_EQ(reason_of({"country", "", {}}, Meter::day), "country_day");
  EXPECT_EQ(reason_of({"prefix", "", {}}, Meter::spent), "budget_prefix");
  EXPECT_EQ(reason_of({"block", "", {}}, Meter::hour), "block_hour");
}

TEST(Caps, WhatIsCountedSurvivesItsStoredForm) {
  const TimePoint now{Millis(1'800'000'000'000)};
  AllowanceState state;
  add_taken(state.logs[Meter::hour], std::chrono::hours(1), 3, now);
  add_taken(state.logs[Meter::spent], std::chrono::hours(24),
            std::numeric_limits<std::uint64_t>::max(), now);
  add_taken(state.guard.sends, std::chrono::hours(1), 40, now);
  close_block(state.guard, {}, now);
  add_taken(state.guard.verified, std::chrono::hours(1), 2, now);
  state.guard.listed = true;
  const auto read = decode<AllowanceState>(encode(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->logs, state.logs);
  EXPECT_EQ(read->guard, state.guard);
  EXPECT_EQ(decode<AllowanceState>("")->guard, GuardState{});

  ClosedBlocks list;
  list_block(list, {"+4470123", now, now + Seconds(9), 2, {40, 3}}, now);
  EXPECT_EQ(decode<ClosedBlocks>(encode(list))->blocks, list.blocks);
  for (const char* bad : {"\xff", "\x0a\x02\x0a\x01"}) {
    EXPECT_FALSE(decode<AllowanceState>(bad)) << bad;
  }
}

}  // namespace
}  // namespace otpd::otp
