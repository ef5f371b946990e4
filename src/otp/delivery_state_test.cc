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

}  // namespace
}  // namespace otpd::otp
