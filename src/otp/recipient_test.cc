#include "otp/recipient.h"

#include <gtest/gtest.h>

namespace otpd::otp {
namespace {

std::string phone(std::string_view text, std::string_view region = "") {
  const auto parsed = parse_phone(text, region);
  return parsed ? std::string(parsed->identity.reveal()) : "refused";
}

std::string email(std::string_view text) {
  const auto parsed = parse_email(text);
  return parsed ? std::string(parsed->identity.reveal()) : "refused";
}

TEST(Phone, FiftySpellingsAreOneRecipient) {
  const std::vector<std::string> separators = {" ", "-", ".", "/", "  ", "\u00a0", "\u2011"};
  std::vector<std::string> spellings = {
      "+14155552671",
      "+1 (415) 555-2671",
      "0014155552671",
      "00 1 415 555 2671",
      "+1(415)5552671",
      "+1 415.555.2671",
      "+1-415-555-2671",
      " +14155552671 ",
      "\uff0b14155552671",
      "+1\uff08415\uff095552671",
      "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff12\uff16\uff17\uff11",
      "\uff10\uff1014155552671",
  };
  for (const auto& a : separators) {
    for (const auto& b : separators) {
      spellings.push_back("+1" + a + "415" + b + "555" + a + "2671");
    }
  }
  EXPECT_GE(spellings.size(), 50U);
  for (const auto& text : spellings) EXPECT_EQ(phone(text), "+14155552671") << text;
}

TEST(Phone, NationalZeroInParenthesesIsDropped) {
  EXPECT_EQ(phone("+44 (0)20 7946 0958"), "+442079460958");
  EXPECT_EQ(phone("+49 (0) 30 123456"), "+4930123456");
}

TEST(Phone, WithoutCountryCodeOnlyInTheDefaultRegion) {
  EXPECT_EQ(phone("(415) 555-2671"), "refused");
  EXPECT_EQ(phone("(415) 555-2671", "US"), "+14155552671");
  EXPECT_EQ(phone("020 7946 0958", "GB"), "+442079460958");
  EXPECT_EQ(phone("+14155552671", "GB"), "+14155552671");
  EXPECT_EQ(parse_phone("+442079460958", "")->country, "GB");
}

TEST(Phone, RefusesWhatIsNotExactlyANumber) {
  for (const std::string text : {"",
                                 " ",
                                 "+",
                                 "00",
                                 "+1",
                                 "+1 415",
                                 "+14155552671x123",
                                 "+14155552671;ext=5",
                                 "+1 415 555 CODE",
                                 "tel:+14155552671",
                                 "+14155552671\n",
                                 "+1415555\t2671",
                                 "+1415\u200b5552671",
                                 "\u202e+14155552671",  // NOLINT(misc-misleading-bidirectional)
                                 "+141555526711111111",
                                 "+99914155552671",
                                 "+1,4155552671",
                                 "+1 415 555 2671 #9",
                                 "(415",
                                 "\xff\xfe"}) {
    EXPECT_EQ(phone(text), "refused") << text;
  }
  EXPECT_EQ(phone(std::string("+1415555\0002671", 13)), "refused");
  EXPECT_EQ(phone(std::string(1'000'000, '1')), "refused");
}

TEST(Email, SpellingsOfOneMailboxAreOneRecipient) {
  EXPECT_EQ(email("Ada.Lovelace@Example.COM"), "ada.lovelace@example.com");
  for (const char* text : {"ada.love+x@gmail.com", "a.d.a.love@googlemail.com", "ADALOVE@GMAIL.com",
                           "adalove+a+b@gmail.com"}) {
    EXPECT_EQ(email(text), "adalove@gmail.com") << text;
  }
  // Elsewhere dots and tags may be other mailboxes.
  EXPECT_NE(email("a.da@example.com"), email("ada@example.com"));
  EXPECT_EQ(parse_email("Ada@EXAMPLE.com")->address.reveal(), "Ada@example.com");
}

TEST(Email, RefusesWhatIsNotAPlainAddress) {
  for (const std::string text : {"",
                                 "@",
                                 "a@",
                                 "@b.com",
                                 "a b@c.com",
                                 "a@b",
                                 "a@b..com",
                                 ".a@b.com",
                                 "a.@b.com",
                                 "a..b@c.com",
                                 "a@-b.com",
                                 "a@b-.com",
                                 "a@b.123",
                                 "a@[127.0.0.1]",
                                 "\"a b\"@c.com",
                                 "a@b.com\n",
                                 "a@b.com\r\nBcc: x@y.z",
                                 "\u0430@b.com",
                                 "a@\u0431.com",
                                 "a\u200b@b.com",
                                 "a@b.com,c@d.com",
                                 "Ada <a@b.com>",
                                 "a@b.com."}) {
    EXPECT_EQ(email(text), "refused") << text;
  }
  EXPECT_EQ(email(std::string(65, 'a') + "@b.com"), "refused");
  EXPECT_EQ(email("a@" + std::string(250, 'b') + ".com"), "refused");
}

// What a national plan allows, but E.164 does not.
TEST(Phone, HasAtMostFifteenDigits) {
  EXPECT_FALSE(parse_phone("+490561490561376376", ""));
  EXPECT_TRUE(parse_phone("+4956149056137", ""));
}

}  // namespace
}  // namespace otpd::otp
