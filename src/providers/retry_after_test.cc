#include "providers/retry_after.h"

#include <gtest/gtest.h>

namespace otpd::providers {
namespace {

// 1994-11-06T08:49:37Z, the date of RFC 9110's examples.
constexpr TimePoint k_example_time{Seconds(784'111'777)};

TEST(RetryAfter, ReadsSecondsAndDates) {
  const TimePoint now = k_example_time - Seconds(90);
  const struct {
    std::string value;
    std::optional<Millis> wait;
  } cases[] = {
      {"0", Millis(0)},
      {"7", Seconds(7)},
      {"86400", Seconds(86'400)},
      {"86401", Seconds(86'400)},
      {"99999999999999999999999999", Seconds(86'400)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", Seconds(90)},
      {"Sunday, 06-Nov-94 08:49:37 GMT", Seconds(90)},
      {"Sun Nov  6 08:49:37 1994", Seconds(90)},
      {"Sun, 06 Nov 1994 08:40:00 GMT", Millis(0)},
      {"Sat, 06 Nov 2094 08:49:37 GMT", Seconds(86'400)},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"7 s", std::nullopt},
      {"soon", std::nullopt},
      {"Sun, 06 Nov 1994 08:49:37 GMT+1", std::nullopt},
      {"Sun, 06 Nov 1994", std::nullopt},
      {"Mon, 06 Nov 1994 08:49:37 GMT", std::nullopt},
      {"Sun, 06 Nov 1994 08:61:37 GMT", std::nullopt},
      {"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(retry_after({{"retry-after", c.value}}, now), c.wait) << c.value;
  }
  EXPECT_EQ(retry_after({}, now), std::nullopt);
}

TEST(RetryAfter, ReadsADateAgainstTheAnswersOwnClock) {
  const net::Headers headers = {{"Date", "Sun, 06 Nov 1994 08:49:07 GMT"},
                                {"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  EXPECT_EQ(retry_after(headers, TimePoint(Seconds(0))), Seconds(30));
}

}  // namespace
}  // namespace otpd::providers
