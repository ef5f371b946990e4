#include "providers/smpp_ids.h"

#include <gtest/gtest.h>

namespace otpd::providers {
namespace {

TEST(SmppIds, MatchWhateverTheirSpelling) {
  using Mode = SmppHexIds;
  const struct {
    Mode mode;
    std::string_view answer, receipt;
  } same[] = {
      {Mode::automatic, "1A2B", "6699"},
      {Mode::automatic, "1a2b", "0000006699"},
      {Mode::automatic, "1a2b", "1A2B"},
      {Mode::automatic, "00001A2B", "1a2b"},
      {Mode::automatic, "4711", "4711"},
      {Mode::automatic, "4711", "0000004711"},
      {Mode::automatic, "0", "0000000000"},
      {Mode::automatic, "msg-0001", "msg-0001"},
      {Mode::automatic, "F47AC10B-58CC-4372-A567-0E02B2C3D479",
       "f47ac10b-58cc-4372-a567-0e02b2c3d479"},
      {Mode::automatic, "ffffffffffffffff", "18446744073709551615"},
      {Mode::automatic, "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef"},
      {Mode::on, "10", "16"},
      {Mode::on, "1A2B", "6699"},
      {Mode::on, "10", "0000000016"},
      {Mode::off, "1A2B", "1a2b"},
      {Mode::off, "0010", "10"},
      {Mode::off, "123456789012345678901234567890", "0123456789012345678901234567890"},
  };
  for (const auto& c : same) {
    SmppIds ids(c.mode);
    EXPECT_EQ(ids.of_answer(c.answer), ids.of_receipt(c.receipt)) << c.answer << " " << c.receipt;
    EXPECT_FALSE(ids.of_answer(c.answer).empty());
  }
  const struct {
    Mode mode;
    std::string_view answer, receipt;
  } different[] = {
      {Mode::automatic, "10", "16"}, {Mode::on, "10", "10"},        {Mode::off, "1A2B", "6699"},
      {Mode::automatic, "ab", "bc"}, {Mode::automatic, "Zz", "zZ"},
  };
  for (const auto& c : different) {
    SmppIds ids(c.mode);
    EXPECT_NE(ids.of_answer(c.answer), ids.of_receipt(c.receipt)) << c.answer << " " << c.receipt;
  }
}

TEST(SmppIds, LearnFromAReceiptThatIdsOfDigitsAreHexadecimal) {
  SmppIds ids(SmppHexIds::automatic);
  EXPECT_EQ(ids.of_answer("10000000"), "10000000");
  EXPECT_EQ(ids.of_answer("1000000a"), "268435466");
  EXPECT_EQ(ids.of_receipt("5"), "5");
  EXPECT_EQ(ids.of_answer("10000000"), "10000000");
  EXPECT_EQ(ids.of_receipt("0268435466"), "268435466");
  EXPECT_EQ(ids.of_answer("10000010"), "268435472");
  EXPECT_EQ(ids.of_receipt("268435472"), "268435472");
}

TEST(SmppIds, TakeNothingThatIsNoId) {
  SmppIds ids(SmppHexIds::automatic);
  for (const auto& id : {std::string(), std::string("a b"), std::string("a\nb"),
                         std::string("\x80"), std::string(65, '1')}) {
    EXPECT_EQ(ids.of_answer(id), "");
    EXPECT_EQ(ids.of_receipt(id), "");
  }
}

}  // namespace
}  // namespace otpd::providers
