#include <gtest/gtest.h>

#include "otp/test_recipient_fixture.h"

namespace otpd::otp {
namespace {

using testing_recipient::after;
using testing_recipient::Fixture;
using testing_recipient::k_start;

TEST(Delivery, MovesForwardOnly) {
  using D = DeliveryState;
  Fixture f;
  f.send(k_start);
  const std::string id = f.state.verifications[0].id;
  const TimePoint now = after(Millis(1));
  EXPECT_TRUE(mark_sent(f.state, id, "lane", "m1", now));
  EXPECT_FALSE(mark_sent(f.state, id, "lane", "m1", now));  // known
  EXPECT_FALSE(mark_failed(f.state, id, "too_late", now));  // it was handed over
  EXPECT_TRUE(mark_receipt(f.state, id, "lane", "m1", D::delivered, "", now));
  EXPECT_FALSE(mark_sent(f.state, id, "lane", "m2", now));
  f.send(after(Seconds(30)));
  EXPECT_EQ(f.state.verifications[0].delivery, D::queued);  // of the latest message
  EXPECT_TRUE(mark_failed(f.state, id, "too_late", now));
  EXPECT_EQ(status_name(f.state.verifications[0], after(Seconds(31))), "failed");
  EXPECT_TRUE(mark_sent(f.state, id, "lane", "m2", now));  // taken up again
  EXPECT_FALSE(mark_sent(f.state, "unknown", "lane", "m", k_start));
}

TEST(Receipts, CountOnceAndForTheLatestMessageOnly) {
  Fixture f;
  const std::string id = f.send(k_start)->verification_id;
  const TimePoint now = after(Millis(1));
  const auto receipt = [&](std::string_view lane, std::string_view message, DeliveryState state) {
    return mark_receipt(f.state, id, lane, message, state, "30003", now);
  };
  EXPECT_FALSE(receipt("lane", "m1", DeliveryState::delivered));  // nothing was handed over
  EXPECT_FALSE(receipt("", "", DeliveryState::delivered));
  ASSERT_TRUE(mark_sent(f.state, id, "lane", "m1", now));
  EXPECT_FALSE(receipt("other", "m1", DeliveryState::delivered));
  EXPECT_FALSE(receipt("lane", "m2", DeliveryState::delivered));
  EXPECT_TRUE(receipt("lane", "m1", DeliveryState::failed));
  EXPECT_EQ(f.state.verifications[0].delivery_error, "30003");
  EXPECT_FALSE(receipt("lane", "m1", DeliveryState::failed));     // a duplicate
  EXPECT_FALSE(receipt("lane", "m1", DeliveryState::delivered));  // never back
  ASSERT_TRUE(mark_sent(f.state, id, "voice", "m2", now));
  EXPECT_FALSE(receipt("lane", "m1", DeliveryState::delivered));  // of an earlier message
  EXPECT_TRUE(receipt("voice", "m2", DeliveryState::delivered));
}

TEST(Fallback, ThatALimitRefusesIsAFailureUntilAReceiptSaysOtherwise) {
  using D = DeliveryState;
  Fixture f;
  const std::string id = f.send(k_start)->verification_id;
  const TimePoint now = after(Millis(1));
  const auto limited = [&](const char* message) {
    return mark_fallback_limited(f.state, id, message, now);
  };
  const Verification& verification = f.state.verifications[0];
  EXPECT_FALSE(limited(""));  // nothing was handed over
  ASSERT_TRUE(mark_sent(f.state, id, "lane", "m1", now));
  EXPECT_FALSE(limited("m0"));
  EXPECT_TRUE(limited("m1"));
  EXPECT_FALSE(limited("m1"));
  EXPECT_EQ(status_name(verification, now), "failed");
  EXPECT_EQ(verification.delivery_error, "fallback_limited");
  EXPECT_FALSE(mark_receipt(f.state, id, "lane", "m0", D::delivered, "", now));
  EXPECT_TRUE(mark_receipt(f.state, id, "lane", "m1", D::failed, "not_delivered", now));
  EXPECT_FALSE(mark_receipt(f.state, id, "lane", "m1", D::delivered, "", now));
  EXPECT_FALSE(limited("m1"));
  EXPECT_EQ(verification.delivery_error, "not_delivered");
  EXPECT_FALSE(mark_fallback_limited(f.state, "unknown", "m1", now));
}

TEST(Fallback, AChargePaysForTheNextTryOfItsJobOnly) {
  Fixture f;
  const std::string id = f.send(k_start)->verification_id;
  EXPECT_TRUE(mark_charged(f.state, id, {"job", 2}));
  EXPECT_FALSE(mark_charged(f.state, id, {"job", 2}));
  EXPECT_FALSE(mark_charged(f.state, "unknown", {"job", 2}));
  const auto stored = decode<RecipientState>(encode(f.state));
  ASSERT_TRUE(stored);
  const ChargedTry& charged = stored->verifications[0].charged;
  EXPECT_EQ(charged, (ChargedTry{"job", 2}));
  EXPECT_TRUE(charged.pays_for("job", 3));
  for (const std::uint32_t attempt : {0U, 1U, 2U, 4U}) {
    EXPECT_FALSE(charged.pays_for("job", attempt)) << attempt;
  }
  EXPECT_FALSE(charged.pays_for("other", 3));
  EXPECT_FALSE(ChargedTry().pays_for("", 1));
}

}  // namespace
}  // namespace otpd::otp
