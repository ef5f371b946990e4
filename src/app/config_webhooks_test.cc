#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using config_testing::Loaded;
using testing::HasSubstr;

const std::string k_hook_secret = "whsec_" + std::string(43, 'A') + "=";

std::string hook_errors(const std::string& lines, const std::string& secrets = k_hook_secret) {
  return errors(load("[webhooks]\nsecrets = \"" + secrets + "\"\n" + lines));
}

TEST(ConfigWebhooks, AnEndpointIsHttpsUnlessItIsPrivate) {
  EXPECT_EQ(hook_errors(""), "fine");
  EXPECT_EQ(hook_errors("url = \"https://customer.example/events?a=b\""), "fine");
  EXPECT_THAT(hook_errors("url = \"http://customer.example/events\""),
              HasSubstr("must be https, unless webhooks.allow_private is true"));
  EXPECT_EQ(hook_errors("url = \"http://127.0.0.1:9/events\"\nallow_private = true"), "fine");
  for (const char* url : {"ftp://a.example/", "https://user:word@a.example/", "a.example/hook",
                          "https://a.example/#x"}) {
    EXPECT_THAT(hook_errors("url = \"" + std::string(url) + "\""), HasSubstr("must be an https"))
        << url;
  }
}

TEST(ConfigWebhooks, AnEndpointHasSecrets) {
  const std::string url = "url = \"https://customer.example/events\"";
  EXPECT_THAT(hook_errors(url, ""), HasSubstr("nobody could tell your events from forged ones"));
  EXPECT_EQ(hook_errors(url, k_hook_secret + " " + k_hook_secret), "fine");
  const std::string wrong = hook_errors(url, "hunter2hunter2");
  EXPECT_THAT(wrong, HasSubstr("must be one to five of whsec_"));
  EXPECT_FALSE(wrong.contains("hunter2"));
}

TEST(ConfigWebhooks, OnlyKnownEventsAndShorterThanALease) {
  EXPECT_THAT(hook_errors("events = [\"otp.sent\", \"otp.read\"]"), HasSubstr("otp.canceled"));
  EXPECT_EQ(hook_errors("events = [\"otp.sent\"]"), "fine");
  EXPECT_THAT(hook_errors("url = \"https://a.example/\"\ntimeout_ms = 30000"),
              HasSubstr("must be shorter than delivery.lease_s"));
}

const std::string k_shop_secret = "whsec_" + std::string(43, 'E') + "=";

// What is wrong with these lines of [applications.shop.webhooks], where the base one has an
// endpoint.
Loaded shop_hook(const std::string& lines) {
  return load("[webhooks]\nurl = \"https://base.example/\"\nsecrets = \"" + k_hook_secret +
              "\"\nallow_private = true\nevents = [\"otp.sent\"]\ntimeout_ms = 2000\n" +
              "[applications.shop.webhooks]\n" + lines);
}

TEST(ConfigWebhooks, AnApplicationHasTheBaseOnesEndpointUnlessItSaysOtherwise) {
  const auto shared = shop_hook("");
  ASSERT_EQ(errors(shared), "fine");
  EXPECT_FALSE(shared->config.webhooks.shared);
  EXPECT_TRUE(shared->config.applications.at("shop")->webhooks.shared);
  EXPECT_EQ(shared->config.applications.at("shop")->webhooks.url, "");
  const auto picky = shop_hook("events = [\"otp.failed\"]");
  ASSERT_EQ(errors(picky), "fine");
  EXPECT_TRUE(picky->config.applications.at("shop")->webhooks.shared);
  EXPECT_EQ(picky->config.applications.at("shop")->webhooks.events,
            std::vector<std::string>{"otp.failed"});
  const auto none = shop_hook("url = \"\"");
  ASSERT_EQ(errors(none), "fine");
  EXPECT_FALSE(none->config.applications.at("shop")->webhooks.shared);
  EXPECT_EQ(none->config.applications.at("shop")->webhooks.url, "");
}

TEST(ConfigWebhooks, AnApplicationsOwnEndpointHasNothingSecretOfTheBaseOnes) {
  const std::string url = "url = \"https://shop.example/\"\n";
  EXPECT_THAT(errors(shop_hook(url)),
              HasSubstr("applications.shop.webhooks.secrets = \"\"\n      is missing"));
  const auto own = shop_hook(url + "secrets = \"" + k_shop_secret + "\"");
  ASSERT_EQ(errors(own), "fine");
  const auto& webhooks = own->config.applications.at("shop")->webhooks;
  EXPECT_FALSE(webhooks.shared);
  EXPECT_EQ(webhooks.url, "https://shop.example/");
  EXPECT_EQ(webhooks.secrets.reveal(), k_shop_secret);
  EXPECT_FALSE(webhooks.allow_private);
  EXPECT_EQ(webhooks.timeout, Millis(2'000));
  EXPECT_EQ(webhooks.events, std::vector<std::string>{"otp.sent"});
  EXPECT_THAT(errors(shop_hook("url = \"http://10.0.0.1/\"\nsecrets = \"" + k_shop_secret + "\"")),
              HasSubstr("must be https, unless webhooks.allow_private is true"));
}

TEST(ConfigWebhooks, WhatIsForAnOwnEndpointNeedsOne) {
  for (const std::string& line :
       {"secrets = \"" + k_shop_secret + "\"", std::string("timeout_ms = 3000"),
        std::string("allow_private = true"), std::string("max_in_flight = 2")}) {
    for (const char* url : {"", "url = \"\"\n"}) {
      EXPECT_THAT(errors(shop_hook(url + line)), HasSubstr("webhooks.url names none there"))
          << line;
    }
  }
  const auto wrong = errors(shop_hook("url = 5\ntimeout_ms = 3000"));
  EXPECT_THAT(wrong, testing::Not(HasSubstr("names none there"))) << "told once";
}

TEST(ConfigWebhooks, NoTwoApplicationsHaveOneSecret) {
  const std::string url = "url = \"https://shop.example/\"\nsecrets = \"";
  const auto wrong = errors(shop_hook(url + k_shop_secret + " " + k_hook_secret + "\""));
  EXPECT_THAT(wrong, HasSubstr("applications.shop.webhooks.secrets"));
  EXPECT_THAT(wrong, HasSubstr("has a secret of the application default"));
  EXPECT_FALSE(wrong.contains("whsec_A"));
  const auto third = shop_hook(url + k_shop_secret +
                               "\"\n[applications.bank.webhooks]\nurl = \"https://bank.example/\"\n"
                               "secrets = \"" +
                               k_shop_secret + "\"");
  EXPECT_THAT(errors(third), HasSubstr("has a secret of the application bank"));
  EXPECT_EQ(errors(shop_hook(url + k_shop_secret + " " + k_shop_secret + "\"")), "fine");
}

}  // namespace
}  // namespace otpd::app
