#include "otp/context.h"

#include <gtest/gtest.h>

namespace otpd::otp {
namespace {

bool fits(const std::string& amount, const std::string& currency = "EUR",
          const std::string& payee = "Bakery") {
  return check_context({amount, currency, payee}).has_value();
}
bool payee_fits(const std::string& payee) {
  return fits("12.50", "EUR", payee);
}

TEST(TransactionContext, AmountsAreDecimalNumbers) {
  for (const char* good : {"0", "1", "12.5", "12.50", "0.0001", "999999999999.9999"}) {
    EXPECT_TRUE(fits(good)) << good;
  }
  for (const char* bad : {"", ".", "1.", ".5", "-1", "+1", "1,50", "1e3", " 1", "1 ", "1.5.0",
                          "1.00001", "1000000000000", "0x1", "\xef\xbc\x91", "1\n"}) {
    EXPECT_FALSE(fits(bad)) << bad;
  }
}

TEST(TransactionContext, CurrenciesAreThreeCapitals) {
  EXPECT_TRUE(fits("1", "CHF"));
  for (const char* bad : {"", "EU", "EURO", "eur", "E1R", "EU\n", "\xe2\x82\xac"}) {
    EXPECT_FALSE(fits("1", bad)) << bad;
  }
}

TEST(TransactionContext, PayeesAreOneToSixtyFourCharacters) {
  std::string letters;
  for (int i = 0; i < 64; ++i) letters += "\xc3\xa9";
  EXPECT_TRUE(payee_fits(letters));
  EXPECT_FALSE(payee_fits(letters + "a"));
  EXPECT_FALSE(payee_fits(""));
  EXPECT_TRUE(
      payee_fits("B\xc3\xa4"
                 "ckerei M\xc3\xbcller & Sohn"));
  EXPECT_TRUE(payee_fits("\xe5\xb1\xb1\xe7\x94\xb0"));
  EXPECT_TRUE(payee_fits("\xd9\x85\xd8\xae\xd8\xa8\xd8\xb2"));
}

TEST(TransactionContext, PayeesAreShownAsTheyAreWritten) {
  for (const char* bad : {" ",
                          "   ",
                          " Bakery",
                          "Bakery ",
                          "a\nb",
                          "a\tb",
                          "a\rb",
                          "a\x7f"
                          "b",
                          "\x1b[2J",
                          "a\xc2\x85"
                          "b",
                          "a\xc2\xa0"
                          "b",
                          "a\xc2\xad"
                          "b",
                          "a\xd8\x9c"
                          "b",
                          "a\xcd\x8f"
                          "b",
                          "a\xe1\xa0\x8e"
                          "b",
                          "a\xe2\x80\x8b"
                          "b",
                          "a\xe2\x80\x8f"
                          "b",
                          "a\xe2\x80\xa8"
                          "b",
                          "a\xe2\x80\xae"  // NOLINT(misc-misleading-bidirectional): spelt out
                          "b",
                          "a\xe2\x81\xa0"
                          "b",
                          "a\xe2\x81\xa6"  // NOLINT(misc-misleading-bidirectional): spelt out
                          "b",
                          "a\xe2\x81\xaf"
                          "b",
                          "\xef\xbb\xbf"
                          "ab",
                          "a\xf3\xa0\x81\x81"
                          "b"}) {
    EXPECT_FALSE(payee_fits(bad)) << bad;
  }
  EXPECT_FALSE(payee_fits(std::string("a\0b", 3)));
}

TEST(TransactionContext, TheErrorNamesTheMember) {
  EXPECT_TRUE(check_context({"x", "EUR", "a"}).error().message.contains("context.amount"));
  EXPECT_TRUE(check_context({"1", "x", "a"}).error().message.contains("context.currency"));
  EXPECT_TRUE(check_context({"1", "EUR", ""}).error().message.contains("context.payee"));
  EXPECT_EQ(check_context({}).error().kind, Failure::invalid);
}

TEST(TransactionContext, TheHashBindsEveryMemberApart) {
  const Context paid{"12.50", "EUR", "Bakery"};
  const std::string bound = context_hash("key", paid);
  EXPECT_EQ(bound, context_hash("key", paid));
  for (const Context& other :
       {Context{"12.51", "EUR", "Bakery"}, Context{"12.50", "USD", "Bakery"},
        Context{"12.50", "EUR", "Bakerz"}, Context{"12.5", "0EUR", "Bakery"},
        Context{"12.50", "EURB", "akery"}, Context{"12.50EUR", "", "Bakery"}}) {
    EXPECT_NE(context_hash("key", other), bound);
  }
  EXPECT_NE(context_hash("other", paid), bound);
  EXPECT_EQ(context_hash("key", {}), "");
}

}  // namespace
}  // namespace otpd::otp
