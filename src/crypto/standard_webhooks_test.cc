#include "crypto/standard_webhooks.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace otpd::crypto {
namespace {

// The example of the specification's own libraries.
const std::string k_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string k_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const std::string k_body = R"({"test": 2432232314})";
const std::string k_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr TimePoint k_at{Seconds(1'614'265'330)};

std::string whsec(char byte, std::size_t size) {
  return "whsec_" + base64_encode(std::string(size, byte));
}

TEST(StandardWebhooks, SignsTheSpecificationsExample) {
  const auto keys = WebhookKeys::make(k_secret).value();
  EXPECT_EQ(keys.sign(k_id, k_at + Millis(999), k_body), k_signature);
  EXPECT_EQ(webhook_timestamp(k_at + Millis(999)), "1614265330");
}

TEST(StandardWebhooks, ARotationSignsWithEverySecret) {
  const auto both = WebhookKeys::make(whsec('a', 32) + " " + k_secret).value();
  const std::string signatures = both.sign(k_id, k_at, k_body);
  EXPECT_TRUE(signatures.ends_with(" " + k_signature)) << signatures;
  for (const std::string& known : {whsec('a', 32), k_secret}) {
    EXPECT_TRUE(
        WebhookKeys::make(known).value().verify({k_id, "1614265330", signatures}, k_body, k_at));
  }
}

TEST(StandardWebhooks, BelievesOnlyWhatIsSignedAndFresh) {
  const auto keys = WebhookKeys::make(k_secret).value();
  const auto believes = [&](std::string_view id, std::string_view timestamp,
                            std::string_view signature, std::string_view body, TimePoint now) {
    return keys.verify({id, timestamp, signature}, body, now);
  };
  const std::string good = "1614265330";
  EXPECT_TRUE(believes(k_id, good, k_signature, k_body, k_at));
  EXPECT_TRUE(believes(k_id, good, k_signature, k_body, k_at + Seconds(300)));
  EXPECT_TRUE(believes(k_id, good, k_signature, k_body, k_at - Seconds(300)));
  EXPECT_TRUE(believes(k_id, good, "v2,x v1a,y v1,AAAA " + k_signature, k_body, k_at));
  EXPECT_FALSE(believes(k_id, good, k_signature, k_body, k_at + Seconds(301)));
  EXPECT_FALSE(believes(k_id, good, k_signature, k_body, k_at - Seconds(301)));
  EXPECT_FALSE(believes("", good, k_signature, k_body, k_at));
  EXPECT_FALSE(believes("msg_other", good, k_signature, k_body, k_at));
  EXPECT_FALSE(believes(k_id, "1614265331", k_signature, k_body, k_at));
  EXPECT_FALSE(believes(k_id, good, k_signature, k_body + " ", k_at));
  for (const std::string& bad : {std::string(), std::string("v1,"), k_signature.substr(3),
                                 k_signature.substr(0, 20), "v2," + k_signature.substr(3),
                                 k_signature + ",", std::string(k_signature + "," + "v1,x")}) {
    EXPECT_FALSE(believes(k_id, good, bad, k_body, k_at)) << bad;
  }
  for (const char* bad :
       {"", "-1614265330", "1614265330.0", " 1614265330", "soon", "99999999999999999999999"}) {
    EXPECT_FALSE(believes(k_id, bad, k_signature, k_body, k_at)) << bad;
  }
}

TEST(StandardWebhooks, RefusesWhatIsNoSecret) {
  EXPECT_TRUE(WebhookKeys::make(whsec('a', 24)));
  EXPECT_TRUE(WebhookKeys::make(whsec('a', 64)));
  for (const std::string& bad :
       {std::string(), std::string("whsec_"), whsec('a', 23), whsec('a', 65), k_secret + " ",
        " " + k_secret, k_secret + "  " + k_secret, k_secret + "," + k_secret, k_secret.substr(6),
        k_secret + "=", "whsk_" + k_secret.substr(6)}) {
    EXPECT_FALSE(WebhookKeys::make(bad)) << bad;
  }
  std::string six = k_secret;
  for (int i = 0; i < 5; ++i) six += " " + k_secret;
  EXPECT_FALSE(WebhookKeys::make(six));
}

}  // namespace
}  // namespace otpd::crypto
