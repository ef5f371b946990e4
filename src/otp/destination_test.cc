#include "otp/destination.h"

#include <gtest/gtest.h>

namespace otpd::otp {
namespace {

NumberType destination_type(const std::string& phone) {
  const auto recipient = parse_phone(phone, "");
  EXPECT_TRUE(recipient) << phone;
  return recipient ? number_type(*recipient) : NumberType::unknown;
}

TEST(Destination, NumbersAreOfTheKindThatTheirPlanSays) {
  const std::pair<const char*, NumberType> cases[] = {
      {"+14155552671", NumberType::fixed_line_or_mobile},
      {"+18005550199", NumberType::toll_free},
      {"+19002345678", NumberType::premium_rate},
      {"+442079460000", NumberType::fixed_line},
      {"+447400123456", NumberType::mobile},
      {"+448001234567", NumberType::toll_free},
      {"+449012345678", NumberType::premium_rate},
      {"+445612345678", NumberType::voip},
      {"+447012345678", NumberType::personal_number},
      {"+447640123456", NumberType::pager},
      {"+445512345678", NumberType::uan},
      {"+4930901820", NumberType::fixed_line},
      {"+491771234567", NumberType::mobile},
      {"+491805012345", NumberType::shared_cost},
  };
  for (const auto& [phone, type] : cases) {
    EXPECT_EQ(destination_type(phone), type) << phone << number_type_name(destination_type(phone));
  }
}

TEST(Destination, EveryKindHasAName) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(NumberType::unknown); ++i) {
    const auto type = static_cast<NumberType>(i);
    EXPECT_EQ(parse_number_type(number_type_name(type)), type);
  }
  for (const char* none : {"", "landline", "Mobile", "type_mobile"}) {
    EXPECT_FALSE(parse_number_type(none)) << none;
  }
}

TEST(Destination, WhatIsRefusedSaysWhy) {
  struct Case {
    Destinations destinations;
    const char* phone;
    const char* refusal;
  };
  const Case cases[] = {
      {{}, "+14155552671", ""},
      {{{"DE"}, {}, {}}, "+491771234567", ""},
      {{{"DE"}, {}, {}}, "+447400123456", "country_not_allowed"},
      {{{"DE"}, {"DE"}, {}}, "+491771234567", "country_denied"},
      {{{}, {"DE"}, {}}, "+491771234567", "country_denied"},
      {{{}, {"DE"}, {}}, "+447400123456", ""},
      {{{}, {}, {NumberType::premium_rate}}, "+449012345678", "type_premium_rate"},
      {{{}, {}, {NumberType::premium_rate}}, "+447400123456", ""},
      {{{}, {}, {NumberType::fixed_line}}, "+14155552671", ""},
      {{{}, {}, {NumberType::fixed_line}}, "+442079460000", "type_fixed_line"},
      {{{"GB"}, {}, {NumberType::mobile}}, "+447400123456", "type_mobile"},
      {{{"US"}, {}, {}}, "+80012345678", "country_not_allowed"},
      {{{}, {"US"}, {}}, "+80012345678", ""},
      {{{}, {"ZZ"}, {}}, "+80012345678", "country_denied"},
      {{{}, {"ZZ"}, {}}, "+870773111632", "country_denied"},
      {{{}, {"ZZ"}, {}}, "+88213300655", "country_denied"},
      {{{}, {"ZZ"}, {}}, "+883510012345678", "country_denied"},
      {{{}, {"ZZ"}, {}}, "+979123456789", "country_denied"},
      {{{}, {"ZZ"}, {}}, "+447400123456", ""},
      {{{"ZZ"}, {}, {}}, "+80012345678", ""},
      {{{"ZZ"}, {}, {}}, "+447400123456", "country_not_allowed"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(refusal(one.destinations, parse_phone(one.phone, "").value()), one.refusal)
        << one.phone << " " << &one - cases;
  }
}

TEST(Destination, MailGoesEverywhere) {
  const Destinations nowhere{{"DE"}, {"US", "ZZ"}, {NumberType::unknown}};
  EXPECT_EQ(refusal(nowhere, parse_email("ada@example.com").value()), "");
}

}  // namespace
}  // namespace otpd::otp
