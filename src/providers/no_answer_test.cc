#include <gtest/gtest.h>

#include <map>

#include "providers/http_provider.h"
#include "providers/sns.h"
#include "providers/test_carrier.h"
#include "providers/vonage.h"
#include "providers/webhook.h"
#include "providers/whatsapp.h"

namespace otpd::providers {
namespace {

struct NoAnswerTest : ProviderTest {
  // Every provider over HTTP, each at that URL.
  std::map<std::string, std::unique_ptr<delivery::Provider>> providers_at(const std::string& url) {
    std::map<std::string, std::unique_ptr<delivery::Provider>> all;
    all["vonage"] = make_vonage({.base_url = url,
                                 .api_key = "k",
                                 .api_secret = Secret("s"),
                                 .from = "ACME",
                                 .signature_secret = {}},
                                client, clock)
                        .value();
    all["sns"] = make_sns({.base_url = url,
                           .region = "eu-west-1",
                           .access_key_id = "A",
                           .secret_access_key = Secret("s"),
                           .session_token = {}},
                          client, clock)
                     .value();
    all["whatsapp"] = make_whatsapp({.base_url = url,
                                     .phone_number_id = "1",
                                     .access_token = Secret("t"),
                                     .template_name = "code",
                                     .app_secret = {},
                                     .verify_token = {}},
                                    client, clock)
                          .value();
    HttpProviderConfig http;
    http.url = url + "/{to}";
    all["http"] = make_http_provider(std::move(http), client, clock).value();
    all["webhook"] =
        make_webhook({.url = url, .secrets = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
                     client, clock)
            .value();
    return all;
  }

  delivery::Outcome try_one(const std::string& name, delivery::Provider& provider, Millis timeout) {
    auto message = typical_message(name == "whatsapp" ? "whatsapp" : "sms", "+14155552671");
    message.code = Secret("481623");
    return send(provider, message, timeout);
  }
};

TEST_F(NoAnswerTest, ALateAnswerIsATimeout) {
  carrier.silent = true;
  for (const auto& [name, provider] : providers_at(carrier.url())) {
    const auto outcome = try_one(name, *provider, Millis(50));
    EXPECT_EQ(outcome.kind, Kind::transient) << name;
    EXPECT_EQ(outcome.reason, "timeout") << name;
  }
}

TEST_F(NoAnswerTest, AClosedPortIsNoConnection) {
  for (const auto& [name, provider] : providers_at("http://127.0.0.1:1")) {
    const auto outcome = try_one(name, *provider, Seconds(5));
    EXPECT_EQ(outcome.kind, Kind::transient) << name;
    EXPECT_EQ(outcome.reason, "no connection") << name;
  }
}

TEST_F(NoAnswerTest, AnEndlessAnswerIsUnusable) {
  carrier.answer = {.status = 200, .body = std::string(100'000, ' '), .headers = {}};
  for (const auto& [name, provider] : providers_at(carrier.url())) {
    const auto outcome = try_one(name, *provider, Seconds(5));
    EXPECT_EQ(outcome.kind, Kind::transient) << name;
    EXPECT_EQ(outcome.reason, "unusable answer") << name;
  }
}

}  // namespace
}  // namespace otpd::providers
