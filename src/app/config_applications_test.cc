#include "app/config_applications.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_keys.h"
#include "app/config_show.h"
#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::everything;
using config_testing::load;
using config_testing::load_flags;
using testing::HasSubstr;
using testing::Not;

const Config& application(const config_testing::Loaded& loaded, const std::string& name) {
  return *loaded->config.applications.at(name);
}

// What is different in `other`, as path = TOML.
std::vector<std::string> differences(const Config& base, const Config& other) {
  const auto before = everything(base);
  std::vector<std::string> found;
  for (const std::string& line : everything(other)) {
    if (std::ranges::find(before, line) == before.end()) found.push_back(line);
  }
  return found;
}

TEST(ConfigApplications, ThereIsOneUnlessOthersAreNamed) {
  const auto loaded = load("");
  EXPECT_TRUE(loaded->config.applications.empty());
  EXPECT_TRUE(load("[applications]\n")->config.applications.empty());
}

TEST(ConfigApplications, AnApplicationHasEverythingButWhatItChanges) {
  const auto loaded = load(
      "[limits]\nip_sends = 50\nuser_sends = 7\n"
      "[applications.shop.limits]\nip_sends = 20\n"
      "[applications.shop.purposes.login]\ndigits = 8\n"
      "[applications.shop.purposes.wire]\nlifetime_s = 60\n"
      "[applications.shop.messages]\nbrand = \"Shop\"\n"
      "[applications.shop.messages.templates.login.sms]\nen = \"{code} for {brand}\"\n"
      "[applications.shop.otp]\ndefault_region = \"DE\"\n"
      "[applications.bank]\n");
  ASSERT_TRUE(loaded) << errors(loaded);
  const Config& shop = application(loaded, "shop");
  EXPECT_EQ(shop.limits.ip_sends, 20U);
  EXPECT_EQ(shop.limits.user_sends, 7U);
  EXPECT_EQ(shop.purposes.at("login").digits, 8U);
  EXPECT_EQ(shop.purposes.at("wire").lifetime, Seconds(60));
  EXPECT_EQ(shop.messages.brand, "Shop");
  EXPECT_EQ(shop.messages.templates.at("login").at("sms").at("en"), "{code} for {brand}");
  EXPECT_EQ(shop.otp.default_region, "DE");
  EXPECT_EQ(loaded->applications, (std::set<std::string>{"bank", "default", "shop"}));
  EXPECT_EQ(loaded->config.limits.ip_sends, 50U);
  EXPECT_EQ(loaded->config.purposes.at("login").digits, 6U);
  EXPECT_FALSE(loaded->config.purposes.contains("wire"));
  EXPECT_EQ(loaded->config.messages.brand, "otpd");
  EXPECT_THAT(differences(loaded->config, application(loaded, "bank")),
              testing::ElementsAre("otp.application = \"bank\""));
}

TEST(ConfigApplications, ItsOwnValueBeatsWhereverTheOtherComesFrom) {
  const auto loaded =
      load("[applications.my_shop.limits]\nip_sends = 20\nuser_sends = 20\nrecipient_sends = 20\n",
           {{"OTPD_LIMITS_IP_SENDS", "30"},
            {"OTPD_APPLICATIONS_MY_SHOP_LIMITS_USER_SENDS", "31"},
            {"OTPD_APPLICATIONS_MY_SHOP_PURPOSES_LOGIN_DIGITS", "7"},
            {"OTPD_APPLICATIONS_MY_SHOP_DELIVERY_ROUTES_SMS", "twilio,twilio2"},
            {"OTPD_PROVIDERS_TWILIO2_KIND", "twilio"},
            {"OTPD_APPLICATIONS_MY_SHOP_MESSAGES_TEMPLATES_LOGIN_SMS_PT_BR", "{code}"}},
           {"--limits.ip_sends=40", "--applications.my_shop.limits.recipient_sends=41"});
  ASSERT_TRUE(loaded) << errors(loaded);
  const Config& shop = application(loaded, "my_shop");
  EXPECT_EQ(loaded->config.limits.ip_sends, 40U);
  EXPECT_EQ(shop.limits.ip_sends, 20U);
  EXPECT_EQ(shop.limits.user_sends, 31U);
  EXPECT_EQ(shop.limits.recipient_sends, 41U);
  EXPECT_EQ(shop.purposes.at("login").digits, 7U);
  EXPECT_EQ(shop.delivery.routes.sms, (std::vector<std::string>{"twilio", "twilio2"}));
  EXPECT_EQ(shop.messages.templates.at("login").at("sms").at("pt-BR"), "{code}");
  const auto& origins = loaded->application_origins.at("my_shop");
  EXPECT_EQ(origins.at("limits.ip_sends").kind, Origin::Kind::file);
  EXPECT_EQ(origins.at("limits.recipient_sends").kind, Origin::Kind::flag);
  EXPECT_EQ(origins.size(), 6U);
}

TEST(ConfigApplications, EveryVariableOfAKeyThatMayDifferNamesIt) {
  for (const Key* key : config_keys()) {
    if (!is_per_application(*key) || key->path.starts_with("messages.templates")) continue;
    const Path path = split_path("applications.shop." + fill(key->path, {"one"}));
    EXPECT_EQ(environment_path(environment_name(show_path(path))), path) << key->path;
  }
}

TEST(ConfigApplications, EveryKeyEitherMayDifferOrIsRefusedByName) {
  for (const Key* key : config_keys()) {
    if (is_per_application(*key)) continue;
    const std::string path = fill(key->path, {"one", "sms", "en"});
    const auto said = errors(load_flags({"--applications.shop." + path + "=1"}));
    EXPECT_THAT(said, HasSubstr("flag --applications.shop." + path));
    EXPECT_THAT(said, HasSubstr("cannot differ by application: " + path + " holds for all"));
  }
}

TEST(ConfigApplications, WhatCannotBeOneIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"applications = 3", "is a section, written [applications.NAME]"},
      {"applications.shop = 3", "is a section, written [applications.shop]"},
      {"applications.shop.limits = 3", "is a section, written [limits]"},
      {"[applications.Shop]", "the name after applications must be a to z"},
      {"[applications.\"a.b\"]", "the name after applications must be a to z"},
      {"[applications.default.limits]\nip_sends = 1", "is the application that the configuration"},
      {"[otp]\napplication = \"shop\"\n[applications.shop]", "applications.shop"},
      {"[applications.shop]\n[applications.shop]", "is not TOML"},
      {"[applications.shop.limits]\nip_sends = 0", "applications.shop.limits.ip_sends = 0"},
      {"[applications.shop.limits]\nip_sens = 9", "did you mean limits.ip_sends?"},
      {"[applications.shop.lmits]\nip_sends = 9", "there is no such key"},
      {"[applications.shop.applications.bank]", "there is no such key"},
      {"[applications.shop.purposes.wire]\ndigits = 6", "a purpose that you add must say"},
      {"[applications.shop.delivery.routes]\nsms = [\"nobody\"]", "there is no [providers.nobody]"},
      {"[applications.shop.limits]\nip_window_s = 60", "applications.shop.friction.window_s"},
      {"[applications.shop.messages.templates.wire.sms]\nen = \"{code}\"",
       "there is no [purposes.wire]"},
  };
  for (const auto& [text, wrong] : cases) {
    EXPECT_THAT(errors(load(text)), HasSubstr(wrong)) << text;
  }
}

TEST(ConfigApplications, ThereAreNotMoreThanTheBound) {
  std::string text;
  for (std::size_t i = 0; i <= k_max_applications; ++i) {
    text += "[applications.a" + std::to_string(i) + "]\n";
  }
  EXPECT_THAT(errors(load(text)), HasSubstr("are more than 100"));
}

TEST(ConfigApplications, WhatIsWrongForAllIsToldOnce) {
  const auto loaded = load("[limits]\nip_sends = 0\n[applications.a]\n[applications.b]\n");
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 1U) << errors(loaded);
  EXPECT_EQ(loaded.error()[0].key, "limits.ip_sends");
}

TEST(ConfigApplications, WhatIsUnwiseForAllIsToldOnceAndTheRestWithTheName) {
  const auto loaded = load(
      "[crypto]\nhash = \"hmac\"\n[providers.console]\nkind = \"log\"\n"
      "[applications.shop.delivery.routes]\nsms = [\"console\"]\n");
  ASSERT_TRUE(loaded) << errors(loaded);
  ASSERT_EQ(loaded->warnings.size(), 2U);
  EXPECT_THAT(loaded->warnings[0], HasSubstr("crypto.hash is hmac"));
  EXPECT_THAT(loaded->warnings[1], HasSubstr("applications.shop: delivery.routes.sms goes to"));
}

TEST(ConfigApplications, TestRecipientsAreOfTheApplicationThatNamesThem) {
  const std::string review =
      ".review]\naddress = \"+14155552671\"\ncode = \"246810\"\nexpires_on = \"2026-12-31\"\n";
  const auto loaded = load("[test_recipients" + review +
                           "[applications.shop]\n[applications.bank.test_recipients" + review);
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.test_recipients.size(), 1U);
  EXPECT_TRUE(application(loaded, "shop").test_recipients.empty());
  EXPECT_EQ(application(loaded, "bank").test_recipients.size(), 1U);
  EXPECT_THAT(show_config(*loaded), Not(HasSubstr("246810")));
}

TEST(ConfigApplications, WhatIsShownIsWhatTheySayAndCanBeReadBack) {
  const auto loaded = load(
      "[applications.bank]\n[applications.shop.limits]\nip_sends = 20\n"
      "[applications.shop.purposes.login]\ndigits = 8\n",
      {}, {"--applications.shop.messages.brand=Shop"});
  ASSERT_TRUE(loaded) << errors(loaded);
  const std::string shown = show_config(*loaded);
  EXPECT_THAT(shown, HasSubstr("\n[applications.bank]\n\n[applications.shop.purposes.login]\n"
                               "digits = 8  # "));
  EXPECT_THAT(shown, HasSubstr("[applications.shop.limits]\nip_sends = 20  # "));
  EXPECT_THAT(shown, HasSubstr("[applications.shop.messages]\nbrand = \"Shop\"  # flag "));
  std::string readable = shown;
  for (auto at = readable.find("\"********\""); at != std::string::npos;
       at = readable.find("\"********\"", at)) {
    readable.replace(at, 10, "\"0123456789abcdef\"");
  }
  const auto own = readable.substr(readable.find("[applications."));
  const auto again = load(own);
  ASSERT_TRUE(again) << errors(again);
  EXPECT_EQ(everything(application(again, "shop")), everything(application(loaded, "shop")));
}

}  // namespace
}  // namespace otpd::app
