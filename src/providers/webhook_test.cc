#include "providers/webhook.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crypto/standard_webhooks.h"
#include "providers/test_callback.h"
#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

const std::string k_new_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string k_old_secret = "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh";

WebhookConfig webhook_config(const std::string& url) {
  return {.url = url + "/otp?a=b", .secrets = Secret(k_new_secret + " " + k_old_secret)};
}

TEST(Webhook, ClassifiesEveryAnswer) {
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view id, reason;
  } cases[] = {
      {200, R"({"id":"m-1"})", Kind::accepted, "m-1", ""},
      {202, R"({"id":7})", Kind::accepted, "7", ""},
      {204, "", Kind::accepted, "job", ""},
      {200, "OK", Kind::accepted, "job", ""},
      {200, R"({"id":"a b"})", Kind::accepted, "job", ""},
      {200, R"({"id":"")" + std::string(200, 'a') + "\"}", Kind::accepted, "job", ""},
      {302, "", Kind::transient, "", "http 302"},
      {400, "", Kind::transient, "", "http 400"},
      {401, "", Kind::misconfigured, "", "http 401"},
      {404, "", Kind::misconfigured, "", "http 404"},
      {408, "", Kind::transient, "", "http 408"},
      {410, "", Kind::misconfigured, "", "http 410"},
      {422, R"({"id":"m-1"})", Kind::rejected, "", "http 422"},
      {429, "", Kind::throttled, "", "http 429"},
      {500, "", Kind::transient, "", "http 500"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_webhook({c.status, {}, c.body}, "job", TimePoint{});
    EXPECT_EQ(outcome.kind, c.kind) << c.status;
    EXPECT_EQ(outcome.message_id, c.id) << c.status;
    EXPECT_EQ(outcome.reason, c.reason) << c.status;
  }
  EXPECT_EQ(classify_webhook({503, {{"Retry-After", "9"}}, ""}, "job", TimePoint{}).retry_after,
            Seconds(9));
}

TEST_F(ProviderTest, WebhookSendsASignedDocument) {
  carrier.answer = {.status = 202, .body = R"({"id":"m-1"})", .headers = {}};
  auto provider = make_webhook(webhook_config(carrier.url()), client, clock).value();
  auto message = typical_message("sms", "+14155552671");
  message.code = Secret("481623");
  message.purpose = "login";
  message.locale = "it";
  message.country = "US";
  message.callback_url = "https://otp.example.com/c";
  const auto outcome = send(*provider, message);
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "m-1");
  EXPECT_EQ(carrier.last.method, "POST");
  EXPECT_EQ(carrier.last.path + "?" + carrier.last.query, "/otp?a=b");
  const auto header = [&](std::string_view name) {
    return std::string(net::find_header(carrier.last.headers, name));
  };
  EXPECT_EQ(header("Content-Type"), "application/json");
  EXPECT_EQ(header("webhook-id"), "msg_0123abcd");
  EXPECT_EQ(header("webhook-timestamp"), "1700000000");
  for (const std::string& known : {k_new_secret, k_old_secret}) {
    EXPECT_TRUE(crypto::WebhookKeys::make(known)->verify(
        {header("webhook-id"), header("webhook-timestamp"), header("webhook-signature")},
        carrier.last.body, clock.now()));
  }
  const nlohmann::json expected = {
      {"type", "otp.message"},
      {"timestamp", "2023-11-14T22:13:20.123Z"},
      {"data",
       {{"job_id", "0123abcd"},
        {"channel", "sms"},
        {"to", "+14155552671"},
        {"subject", "Ihr Code für Bänk"},
        {"text", "481623 è il codice & più.\n@login.example.com #481623"},
        {"code", "481623"},
        {"purpose", "login"},
        {"locale", "it"},
        {"country", "US"},
        {"callback_url", "https://otp.example.com/c"},
        {"expires_in_s", 299}}}};
  EXPECT_EQ(nlohmann::json::parse(carrier.last.body), expected);
}

TEST_F(ProviderTest, WebhookRefusesImpossibleSettings) {
  const auto made = [&](WebhookConfig config) {
    const auto provider = make_webhook(std::move(config), client, clock);
    return provider ? std::string("made") : provider.error().message;
  };
  EXPECT_EQ(made(webhook_config("https://a.example")), "made");
  EXPECT_EQ(made({.url = "x", .secrets = Secret(std::string(k_new_secret))}),
            "webhook: url: not an http or https URL");
  EXPECT_EQ(made({.url = "http://a", .secrets = Secret("whsec_x")}),
            "webhook: secrets: must be whsec_ and the base64 of 24 to 64 bytes");
}

TEST_F(ProviderTest, WebhookReadsReceiptsSignedAlike) {
  const auto provider = make_webhook(webhook_config("https://a.example"), client, clock).value();
  const auto signer = crypto::WebhookKeys::make(k_old_secret).value();
  const auto read = [&](const std::string& body, TimePoint at,
                        const std::string& type = "application/json") {
    CallbackCase callback;
    callback.body = body;
    callback.headers = {{"Content-Type", type},
                        {"Webhook-Id", "r1"},
                        {"Webhook-Timestamp", crypto::webhook_timestamp(at)},
                        {"Webhook-Signature", signer.sign("r1", at, body)}};
    return callback.read_by(*provider->receipts(), clock.now());
  };
  const TimePoint now = clock.now();
  const std::string good = R"({"type":"otp.delivered","data":{"id":"m-1"}})";
  EXPECT_EQ(read(good, now), "delivered m-1");
  EXPECT_EQ(read(R"({"type":"otp.failed","data":{"id":"m-1","reason":"no route"}})", now),
            "failed m-1 no route");
  EXPECT_EQ(read(R"({"type":"otp.failed","data":{"id":"m-1","reason":"to +1?"}})", now),
            "failed m-1 failed");
  EXPECT_EQ(read(R"({"type":"otp.other","data":{"id":"m-1"}})", now), "on_its_way m-1");
  EXPECT_EQ(read(good, now - Seconds(301)), "invalid");
  EXPECT_EQ(read(good, now + Seconds(302)), "invalid");
  EXPECT_EQ(read(good, now, "text/plain"), "invalid");
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"), std::string("{"),
        std::string(R"({"type":"otp.delivered","data":{"id":""}})"),
        std::string(R"({"type":"otp.delivered","data":[{"id":"m-1"}]})"),
        good + std::string(70'000, ' ')}) {
    EXPECT_EQ(read(bad, now), "invalid") << bad.substr(0, 60);
  }
  CallbackCase forged;
  forged.body = good;
  forged.headers = {{"Content-Type", "application/json"},
                    {"webhook-id", "r1"},
                    {"webhook-timestamp", crypto::webhook_timestamp(now)},
                    {"webhook-signature", signer.sign("r1", now, good + " ")}};
  EXPECT_EQ(forged.read_by(*provider->receipts(), now), "invalid");
  forged.headers[3].second = signer.sign("r1", now, good);
  EXPECT_EQ(forged.read_by(*provider->receipts(), now), "delivered m-1");
  forged.headers.push_back(forged.headers[3]);
  EXPECT_EQ(forged.read_by(*provider->receipts(), now), "invalid") << "a header twice";
}

}  // namespace
}  // namespace otpd::providers
