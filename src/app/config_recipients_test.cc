#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/assemble.h"
#include "app/config_show.h"
#include "app/config_testing.h"
#include "base/rfc3339.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using testing::HasSubstr;

const std::string k_recipients_review =
    "[test_recipients.review]\naddress = \"+14155552671\"\ncode = \"246810\"\n"
    "expires_on = \"2026-12-31\"\n";

std::string recipients_without(std::string_view key) {
  std::string text = k_recipients_review;
  const auto begin = text.find(std::string("\n") + std::string(key)) + 1;
  return text.erase(begin, text.find('\n', begin) - begin);
}

TEST(ConfigRecipients, ThereIsNoTestRecipientUnlessItIsNamed) {
  EXPECT_TRUE(make_rules(load("").value().config).test_recipients.empty());
}

TEST(ConfigRecipients, ATestRecipientIsOneUntilTheEndOfItsLastDay) {
  const auto loaded = load(k_recipients_review);
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_THAT(loaded->warnings, testing::Contains(HasSubstr("until the end of 2026-12-31")));
  const otp::Rules rules = make_rules(loaded->config);
  const auto recipient = otp::parse_phone("+1 (415) 555-2671", "").value();
  const auto at = [](const char* time) { return parse_rfc3339(time).value(); };
  const auto* found =
      otp::find_test_recipient(rules.test_recipients, recipient, at("2026-12-31T23:59:59.999Z"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->code.reveal(), "246810");
  EXPECT_EQ(otp::find_test_recipient(rules.test_recipients, recipient, at("2027-01-01T00:00:00Z")),
            nullptr);
}

TEST(ConfigRecipients, ThatItsDayHasPassedIsSaid) {
  const auto said = [](const char* now) {
    ConfigChecks checks;
    checks.now = parse_rfc3339(now).value();
    return load(k_recipients_review, {}, {}, checks).value().warnings;
  };
  EXPECT_THAT(said("2026-12-31T23:59:59Z"),
              testing::ElementsAre(HasSubstr("until the end of 2026-12-31")));
  EXPECT_THAT(said("2027-01-01T00:00:00Z"),
              testing::ElementsAre(HasSubstr("its last day, 2026-12-31, has passed")));
}

TEST(ConfigRecipients, ItsCodeIsAsLongAsOthers) {
  const std::string eight =
      recipients_without("code") + "code = \"24681012\"\n[purposes.transaction]\ndigits = 8\n";
  const auto loaded = load(eight);
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_THAT(loaded->warnings,
              testing::Contains(HasSubstr("review: its code has 8 digits, and codes of "
                                          "purposes.login (6 digits), purposes.password_reset (6 "
                                          "digits) do not")));
  EXPECT_THAT(errors(load(recipients_without("code") + "code = \"24681012\"\n")),
              HasSubstr("test_recipients.review.code = \"********\"\n      has 8 digits, and codes "
                        "of purposes.login (6 digits)"));
}

TEST(ConfigRecipients, ItsCodeIsHidden) {
  EXPECT_FALSE(show_config(load(k_recipients_review).value()).contains("246810"));
}

TEST(ConfigRecipients, ATestRecipientSaysAllOfIt) {
  EXPECT_THAT(errors(load(recipients_without("address"))), HasSubstr("must be said"));
  EXPECT_THAT(errors(load(recipients_without("code"))), HasSubstr("must be said"));
  EXPECT_THAT(errors(load(recipients_without("expires_on"))), HasSubstr("expires_on"));
}

TEST(ConfigRecipients, WhatCannotBeOneIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"address = \"+1 415 555 2671\"", "a phone number as +14155552671"},
      {"address = \"nobody\"", "a phone number as +14155552671"},
      {"code = \"123\"", "4 to 10 digits"},
      {"code = \"12345a\"", "4 to 10 digits"},
      {"expires_on = \"2026-02-30\"", "a day, such as 2026-12-31"},
      {"expires_on = \"never\"", "a day, such as 2026-12-31"},
  };
  for (const auto& [line, problem] : cases) {
    const auto key = line.substr(0, line.find(' '));
    EXPECT_THAT(errors(load(recipients_without(key) + line + "\n")), HasSubstr(problem)) << line;
  }
}

TEST(ConfigRecipients, TwoCannotHaveOneAddress) {
  const std::string mail = "\ncode = \"246810\"\nexpires_on = \"2026-12-31\"\n";
  EXPECT_THAT(errors(load("[test_recipients.a]\naddress = \"ada.b@gmail.com\"" + mail +
                          "[test_recipients.b]\naddress = \"adab@gmail.com\"" + mail)),
              HasSubstr("is that of another test recipient"));
}

TEST(ConfigRecipients, TheCostlyKindsOfNumbersAreNotServedByDefault) {
  const otp::Rules rules = make_rules(load("").value().config);
  EXPECT_FALSE(rules.destinations_shadow);
  EXPECT_TRUE(rules.destinations.allowed_countries.empty());
  using enum otp::NumberType;
  EXPECT_THAT(rules.destinations.denied_types,
              testing::UnorderedElementsAre(premium_rate, shared_cost, personal_number, pager, uan,
                                            voicemail));
}

TEST(ConfigRecipients, DestinationsAreRead) {
  const otp::Rules rules =
      make_rules(load("destinations.allowed_countries = [\"DE\", \"US\"]\n"
                      "destinations.denied_countries = [\"US\"]\n"
                      "destinations.denied_types = [\"voip\"]\ndestinations.shadow = true")
                     .value()
                     .config);
  EXPECT_TRUE(rules.destinations_shadow);
  EXPECT_THAT(rules.destinations.allowed_countries, testing::ElementsAre("DE", "US"));
  EXPECT_THAT(rules.destinations.denied_countries, testing::ElementsAre("US"));
  EXPECT_THAT(rules.destinations.denied_types, testing::ElementsAre(otp::NumberType::voip));
  EXPECT_THAT(errors(load("destinations.denied_types = [\"landline\"]")),
              HasSubstr("kinds of numbers: fixed_line"));
  EXPECT_THAT(errors(load("destinations.denied_countries = [\"Germany\"]")),
              HasSubstr("ISO 3166 country codes"));
}

}  // namespace
}  // namespace otpd::app
