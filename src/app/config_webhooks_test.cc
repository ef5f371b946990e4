#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
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

}  // namespace
}  // namespace otpd::app
