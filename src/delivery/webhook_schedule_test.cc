#include "delivery/webhook_schedule.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "delivery/webhook_outbox.h"

namespace otpd::delivery {
namespace {

using How = WebhookStep::How;

constexpr TimePoint k_happened{Millis(1'800'000'000'000)};

WebhookStep step_after(const Result<WebhookAnswer>& answer, Millis tried, Millis took = Millis(0)) {
  SeededRandom random(1);
  return next_webhook_step(answer, k_happened, k_happened + tried, k_happened + tried + took,
                           random);
}

TEST(WebhookSchedule, TellsAnswersApart) {
  struct Row {
    int status;
    How how;
    bool slow;
  };
  constexpr Row rows[] = {
      {200, How::delivered, false}, {204, How::delivered, false}, {299, How::delivered, false},
      {199, How::again, false},     {301, How::again, false},     {308, How::again, false},
      {400, How::again, false},     {401, How::again, false},     {404, How::again, false},
      {410, How::gone, false},      {429, How::again, true},      {500, How::again, false},
      {502, How::again, true},      {503, How::again, false},     {504, How::again, true}};
  for (const Row& row : rows) {
    const WebhookStep step = step_after(WebhookAnswer{row.status, {}}, Millis(0));
    EXPECT_EQ(step.how, row.how) << row.status;
    EXPECT_EQ(step.slow, row.slow) << row.status;
  }
  EXPECT_EQ(step_after(WebhookAnswer{500, {}}, Millis(0)).reason, "http 500");
  const auto timeout = step_after(fail(Failure::timeout, "host.example"), Millis(0), Seconds(15));
  EXPECT_EQ(timeout.reason, "timeout");
  EXPECT_TRUE(timeout.slow);
  EXPECT_EQ(step_after(fail(Failure::unavailable, "host.example"), Millis(0)).reason,
            "no connection");
  EXPECT_EQ(step_after(fail(Failure::invalid, "host.example"), Millis(0)).reason, "unusable");
}

TEST(WebhookSchedule, EachTimeIsLaterThanItsPlanByATenthOfItsGapAtMost) {
  constexpr Seconds planned[] = {
      Seconds(0),      Seconds(5),      Seconds(305),     Seconds(2'105),   Seconds(9'305),
      Seconds(27'305), Seconds(63'305), Seconds(113'705), Seconds(185'705), Seconds(272'105)};
  for (std::size_t i = 1; i < std::size(planned); ++i) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      SeededRandom random(seed);
      const auto step =
          next_webhook_step(WebhookAnswer{500, {}}, k_happened, k_happened + planned[i - 1],
                            k_happened + planned[i - 1], random);
      EXPECT_EQ(step.how, How::again);
      EXPECT_GE(step.at, k_happened + planned[i]);
      EXPECT_LE(step.at, k_happened + planned[i] + Millis(planned[i] - planned[i - 1]) / 10);
      // A try as late as the jitter makes it leads to the one after, not to the same again.
      EXPECT_LT(step.at,
                k_happened + (i + 1 < std::size(planned) ? planned[i + 1] : k_webhook_life));
    }
  }
  EXPECT_EQ(step_after(WebhookAnswer{500, {}}, Seconds(272'105)).how, How::dead);
  EXPECT_EQ(step_after(WebhookAnswer{200, {}}, Seconds(300'000)).how, How::delivered);
}

TEST(WebhookSchedule, ALateTryTakesThePlaceOfThoseItMissed) {
  const auto step = step_after(WebhookAnswer{500, {}}, Seconds(3'000));
  EXPECT_GE(step.at, k_happened + Seconds(9'305));
}

TEST(WebhookSchedule, ATryIsNeverFollowedAtOnce) {
  const auto step = step_after(fail(Failure::timeout, ""), Millis(0), Seconds(15));
  EXPECT_GE(step.at, k_happened + Seconds(16));
}

TEST(WebhookSchedule, RetryAfterIsHonouredButNeverHurries) {
  EXPECT_EQ(step_after(WebhookAnswer{503, Seconds(3'600)}, Millis(0)).at,
            k_happened + Seconds(3'600));
  EXPECT_GE(step_after(WebhookAnswer{503, Seconds(1)}, Millis(0)).at, k_happened + Seconds(5));
}

TEST(WebhookSchedule, WhatIsPutOffWaitsLongerTheOlderItIs) {
  SeededRandom random(3);
  const auto wait = [&](Millis age) {
    return put_off_until(k_happened, k_happened + age, random) - (k_happened + age);
  };
  for (int i = 0; i < 200; ++i) {
    EXPECT_GE(wait(Millis(0)), Millis(500));
    EXPECT_LE(wait(Millis(0)), Millis(1'000));
    EXPECT_GE(wait(Seconds(400)), Seconds(50));
    EXPECT_LE(wait(Seconds(400)), Seconds(100));
    EXPECT_LE(wait(std::chrono::hours(70)), std::chrono::minutes(30));
  }
}

TEST(WebhookBody, IsShortAndReadableWhateverTheEventHolds) {
  audit::Event event;
  event.event_type = audit::event_type::k_delivery_failed;
  event.created_at = k_happened;
  event.detail = "21211";
  event.ip_address = "203.0.113.7";
  event.channel_hash = "0123456789abcdef";
  EXPECT_EQ(webhook_body(event), R"({"type":"otp.failed","timestamp":"2027-01-15T08:00:00.000Z",)"
                                 R"("data":{"reason":"21211"}})");
  event.event_type = audit::event_type::k_sent;  // whose detail is the carrier's message id
  EXPECT_EQ(webhook_body(event), R"({"type":"otp.sent","timestamp":"2027-01-15T08:00:00.000Z",)"
                                 R"("data":{}})");
  event.event_type = audit::event_type::k_delivery_failed;
  for (auto* field : {&event.user_id, &event.country, &event.verification_id, &event.purpose,
                      &event.provider, &event.detail}) {
    *field = std::string(1'024, '\x01') + "\xff";
  }
  EXPECT_LT(webhook_body(event).size(), 20'000U);
  EXPECT_TRUE(nlohmann::json::accept(webhook_body(event)));
}

}  // namespace
}  // namespace otpd::delivery
