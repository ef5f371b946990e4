#include "delivery/lane_news.h"

#include <gtest/gtest.h>

namespace otpd::delivery {
namespace {

LaneNews news_about(std::string lane, bool open, std::uint32_t succeeded, Millis until = {}) {
  return {.lane = std::move(lane),
          .open = open,
          .reason = open ? "failures in a row" : "",
          .until = TimePoint(until),
          .health = {succeeded, 1, Millis(10), Millis(20)},
          .per_second = 0.5,
          .in_flight = 2};
}

TEST(LaneNews, SurviveTheirEncoding) {
  const auto back = decode_news(
      encode_news({news_about("a", true, 3, Millis(5)), news_about("b\xff\n", false, 0)}));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ((*back)[0].lane, "a");
  EXPECT_TRUE((*back)[0].open);
  EXPECT_EQ((*back)[0].until, TimePoint(Millis(5)));
  EXPECT_EQ((*back)[0].health.succeeded, 3U);
  EXPECT_EQ((*back)[0].health.p99, Millis(20));
  EXPECT_EQ((*back)[0].in_flight, 2U);
}

TEST(LaneNews, WhatIsNoNewsIsNothing) {
  for (const char* text : {"", "{}", "[1]", "[{}]", "[{\"lane\":1}]", "null"}) {
    EXPECT_FALSE(decode_news(text)) << text;
  }
}

TEST(LaneNews, OneWhoFoundItBrokenIsEnough) {
  const auto heard = gather("a", {news_about("a", false, 0), news_about("a", true, 2, Millis(7)),
                                  news_about("a", true, 0, Millis(9)), news_about("b", true, 0)});
  EXPECT_TRUE(heard.open);
  EXPECT_FALSE(heard.answers);
  EXPECT_EQ(heard.until, TimePoint(Millis(9)));
  EXPECT_EQ(heard.reason, "failures in a row");
  EXPECT_EQ(heard.health.succeeded, 2U);
  EXPECT_EQ(heard.health.failed, 3U);
  EXPECT_EQ(heard.in_flight, 6U);
}

TEST(LaneNews, OthersMayStillGetAnswers) {
  EXPECT_TRUE(gather("a", {news_about("a", true, 0), news_about("a", false, 1)}).answers);
  EXPECT_FALSE(gather("a", {}).open);
}

}  // namespace
}  // namespace otpd::delivery
