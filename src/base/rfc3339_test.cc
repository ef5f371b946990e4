#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace otpd {
namespace {

TEST(Rfc3339, WritesAndReadsBack) {
  for (const std::int64_t ms : {0LL, 1LL, 951782400250LL, 1738312200000LL, 253402300799999LL}) {
    const TimePoint time{Millis(ms)};
    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time) << rfc3339(time);
  }
  EXPECT_EQ(rfc3339(TimePoint(Millis(951782400250))), "2000-02-29T00:00:00.250Z");
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00Z"), TimePoint(Millis(951782400000)));
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00.2Z"), TimePoint(Millis(951782400200)));
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00.25Z"), TimePoint(Millis(951782400250)));
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* text : {"", "2000-02-29", "2000-02-29T00:00:00", "2000-02-29T00:00:00+00:00",
                           "2001-02-29T00:00:00Z", "2000-13-01T00:00:00Z", "2000-01-01T24:00:00Z",
                           "2000-01-01T00:60:00Z", "2000-01-01T00:00:60Z", "2000-01-01T00:00:00.Z",
                           "2000-01-01T00:00:00.1234Z", "2000-01-01T00:00:00ZZ",
                           "2000-01-01t00:00:00Z", " 2000-01-01T00:00:00Z", "2000-1-01T00:00:00Z",
                           "2000-01-01T00:00:0xZ", "2000-01-01T00:00:00.1"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace otpd
