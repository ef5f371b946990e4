#include "providers/smpp_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otpd::providers {
namespace {

using delivery::Receipt;
using State = delivery::Receipt::State;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> told(const std::vector<Receipt>& receipts) {
  std::vector<std::string> out;
  for (const Receipt& r : receipts) {
    out.push_back((r.state == State::delivered ? "+"
                   : r.state == State::failed  ? "-"
                                               : "~") +
                  r.message_id);
  }
  return out;
}

TEST(SmppParts, TellReceiptsOfSingleMessagesAsTheyAre) {
  SmppParts parts;
  EXPECT_THAT(told(parts.take({State::delivered, "1", ""})), ElementsAre("+1"));
  EXPECT_THAT(told(parts.take({State::on_its_way, "2", ""})), ElementsAre("~2"));
}

TEST(SmppParts, AreDeliveredWithTheLast) {
  SmppParts parts;
  EXPECT_THAT(told(parts.finish(parts.begin(), {"1", "2", "3"})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "3", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "3", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::on_its_way, "1", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "1", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "2", ""})), ElementsAre("+1"));
  EXPECT_THAT(told(parts.take({State::delivered, "2", ""})), IsEmpty());
}

TEST(SmppParts, FailWithAny) {
  SmppParts parts;
  parts.finish(parts.begin(), {"1", "2"});
  EXPECT_THAT(told(parts.take({State::failed, "2", "expired"})), ElementsAre("-1"));
  EXPECT_THAT(told(parts.take({State::delivered, "1", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::failed, "1", "expired"})), IsEmpty());
}

TEST(SmppParts, KnowReceiptsThatCameBeforeTheAnswer) {
  SmppParts parts;
  const auto ticket = parts.begin();
  EXPECT_THAT(told(parts.take({State::delivered, "1", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "9", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "2", ""})), IsEmpty());
  EXPECT_THAT(told(parts.finish(ticket, {"1", "2"})), ElementsAre("+9", "+1"));
}

TEST(SmppParts, HoldNothingLongerThanTheTextsThatWereBeingSent) {
  SmppParts parts;
  const auto first = parts.begin();
  parts.take({State::delivered, "9", ""});
  const auto second = parts.begin();
  EXPECT_THAT(told(parts.finish(first, {"1", "2"})), ElementsAre("+9"));
  parts.take({State::failed, "4", "expired"});
  EXPECT_THAT(told(parts.finish(second, {})), ElementsAre("-4"));
}

TEST(SmppParts, TakeNoReceiptOfAnIdThatIsAnothersNow) {
  SmppParts parts;
  parts.finish(parts.begin(), {"1", "2"});
  parts.take_id("2");
  EXPECT_THAT(told(parts.take({State::delivered, "2", ""})), ElementsAre("+2"));
}

TEST(SmppParts, CannotFollowMessagesWithoutId) {
  SmppParts parts;
  parts.finish(parts.begin(), {"1", ""});
  EXPECT_THAT(told(parts.take({State::delivered, "1", ""})), ElementsAre("+1"));
}

TEST(SmppParts, ForgetTheOldestTexts) {
  SmppParts parts;
  for (std::size_t i = 0; i <= SmppParts::k_max_texts; ++i) {
    const auto id = std::to_string(i);
    parts.finish(parts.begin(), {id + "a", id + "b"});
  }
  EXPECT_THAT(told(parts.take({State::delivered, "0b", ""})), ElementsAre("+0b"));
  EXPECT_THAT(told(parts.take({State::delivered, "1b", ""})), IsEmpty());
  EXPECT_THAT(told(parts.take({State::delivered, "1a", ""})), ElementsAre("+1a"));
}

}  // namespace
}  // namespace otpd::providers
