// Which pages may call, and for which application.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using config_testing::load_flags;
using testing::HasSubstr;

TEST(ConfigOrigins, EveryOriginIsForWhatIsPublic) {
  EXPECT_EQ(errors(load_flags({"--auth.cors_origins=https://shop.example"})), "fine");
  EXPECT_THAT(errors(load_flags({"--auth.cors_origins=https://shop.example,*"})),
              HasSubstr("is for auth.public = true only"));
  EXPECT_EQ(errors(load_flags({"--auth.cors_origins=*", "--auth.public=true"})), "fine");
  EXPECT_THAT(errors(load_flags({"--auth.cors_origins=https://shop.example/"})),
              HasSubstr("an origin as browsers send it"));
}

TEST(ConfigOrigins, AnApplicationHasPagesOfItsOwn) {
  const std::string base = "[auth]\npublic = true\ncors_origins = [\"https://a.example\"]\n";
  const auto shop = [&](const std::string& lines, const std::string& more = "") {
    return load(base + "[applications.shop.auth]\n" + lines + more);
  };
  const auto none = shop("");
  ASSERT_EQ(errors(none), "fine");
  EXPECT_FALSE(none->config.applications.at("shop")->auth.open_to_public) << "not passed on";
  EXPECT_TRUE(none->config.applications.at("shop")->auth.cors_origins.empty());
  EXPECT_EQ(errors(shop("public = true\ncors_origins = [\"https://b.example\"]")), "fine");
  EXPECT_THAT(errors(shop("public = true")), HasSubstr("needs auth.cors_origins"));
  EXPECT_THAT(errors(shop("public = true\ncors_origins = [\"*\"]")),
              HasSubstr("could not say whose a page is"));
  EXPECT_THAT(errors(shop("api_keys = []")), HasSubstr("cannot differ by application"));
  EXPECT_THAT(errors(shop("cors_origins = [\"https://a.example\"]")),
              HasSubstr("has https://a.example, which is an origin of the application default"));
  EXPECT_THAT(errors(shop("cors_origins = [\"https://b.example\"]\n",
                          "[applications.bank.auth]\ncors_origins = [\"https://b.example\"]")),
              HasSubstr("has https://b.example, which is an origin of the application bank"));
}

TEST(ConfigOrigins, ThatOthersAreNotPublicIsNothingUnwise) {
  const auto loaded = load(
      "[server]\nlisten = \"0.0.0.0:8080\"\n[auth]\npublic = true\n"
      "[applications.shop.limits]\nip_sends = 5");
  ASSERT_EQ(errors(loaded), "fine");
  for (const auto& warning : loaded->warnings) {
    EXPECT_THAT(warning, testing::Not(HasSubstr("may call only with an API key")));
  }
}

}  // namespace
}  // namespace otpd::app
