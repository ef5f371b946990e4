#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using testing::HasSubstr;

std::string countries_error(const std::string& line) {
  return errors(load(line + "\n"));
}

TEST(ConfigCountries, WhoseNumbersAreKnownMayBeNamed) {
  EXPECT_EQ(countries_error("otp.default_region = \"US\""), "fine");
  EXPECT_EQ(countries_error("destinations.allowed_countries = [\"GB\", \"XK\", \"ZZ\"]"), "fine");
  EXPECT_EQ(countries_error("destinations.denied_countries = [\"KP\", \"ZZ\"]"), "fine");
  EXPECT_EQ(countries_error("destinations.country_limits = [\"GB=1/hour\", \"ZZ=1/day\"]"), "fine");
  EXPECT_EQ(countries_error("budget.country_limits = [\"DE=1.00\", \"ZZ=0.01\"]"), "fine");
}

TEST(ConfigCountries, OthersWouldDoNothingAndAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"destinations.allowed_countries = [\"DE\", \"EN\"]", "names EN, which is no country"},
      {"destinations.denied_countries = [\"UK\"]",
       "names UK, which is no country whose phone "
       "numbers are known; did you mean GB?"},
      {"destinations.country_limits = [\"EN=1/hour\"]", "names EN"},
      {"budget.country_limits = [\"GB=1\", \"XX=1\"]", "names XX"},
      {"otp.default_region = \"UK\"", "otp.default_region = \"UK\"\n      is no country"},
      {"otp.default_region = \"ZZ\"", "is no country whose phone numbers are known"},
      {"applications.shop.destinations.denied_countries = [\"UK\"]",
       "applications.shop.destinations.denied_countries = [\"UK\"]\n      names UK"},
  };
  for (const auto& [line, expected] : cases) {
    EXPECT_THAT(countries_error(line), HasSubstr(expected)) << line;
  }
}

}  // namespace
}  // namespace otpd::app
