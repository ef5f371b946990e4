#include "providers/whatsapp.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "providers/test_callback.h"
#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

WhatsappConfig whatsapp_config(const std::string& url) {
  WhatsappConfig config;
  config.base_url = url;
  config.phone_number_id = "106540352242922";
  config.access_token = Secret("EAAJB");
  config.template_name = "login_code";
  config.languages = {"en_US", "de", "pt_BR"};
  return config;
}

const std::string k_whatsapp_yes =
    R"({"messaging_product":"whatsapp","contacts":[{"input":"14155552671","wa_id":"14155552671"}],)"
    R"("messages":[{"id":"wamid.HBgLMTQx+/NT==","message_status":"accepted"}]})";

std::string whatsapp_error(int code) {
  return R"({"error":{"message":"(#1) +14155552671","type":"OAuthException","code":)" +
         std::to_string(code) + R"(,"fbtrace_id":"x"}})";
}

TEST(Whatsapp, ClassifiesEveryAnswer) {
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view reason;
  } cases[] = {
      {200, k_whatsapp_yes, Kind::accepted, ""},
      {200, "", Kind::transient, "no id"},
      {200, "<html>", Kind::transient, "no id"},
      {200, R"({"messages":[]})", Kind::transient, "no id"},
      {200, R"({"messages":{"id":"wamid.1"}})", Kind::transient, "no id"},
      {200, R"({"messages":[{"id":"a b"}]})", Kind::transient, "no id"},
      {302, k_whatsapp_yes, Kind::transient, "http 302"},
      {401, whatsapp_error(190), Kind::misconfigured, "190"},
      {400, whatsapp_error(100), Kind::transient, "100"},
      {403, whatsapp_error(10), Kind::misconfigured, "10"},
      {404, whatsapp_error(132001), Kind::misconfigured, "132001"},
      {403, whatsapp_error(131031), Kind::misconfigured, "131031"},
      {400, whatsapp_error(131026), Kind::rejected, "131026"},
      {400, whatsapp_error(131030), Kind::rejected, "131030"},
      {400, whatsapp_error(131021), Kind::rejected, "131021"},
      {400, whatsapp_error(4), Kind::throttled, "4"},
      {400, whatsapp_error(130429), Kind::throttled, "130429"},
      {400, whatsapp_error(131056), Kind::throttled, "131056"},
      {429, "", Kind::throttled, "http 429"},
      {400, whatsapp_error(2), Kind::transient, "2"},
      {400, whatsapp_error(131000), Kind::transient, "131000"},
      {500, whatsapp_error(1), Kind::transient, "1"},
      {503, "", Kind::transient, "http 503"},
      {400, R"({"error":{"code":"131026"}})", Kind::transient, "http 400"},
      {400, R"({"error":{"code":-1}})", Kind::transient, "http 400"},
      {400, R"({"error":[]})", Kind::transient, "http 400"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_whatsapp(c.status, {}, c.body, TimePoint{});
    EXPECT_EQ(outcome.kind, c.kind) << c.status << c.body;
    EXPECT_EQ(outcome.reason, c.reason) << c.status << c.body;
    EXPECT_EQ(outcome.message_id, c.kind == Kind::accepted ? "wamid.HBgLMTQx+/NT==" : "");
  }
}

TEST(Whatsapp, ChoosesTheTemplatesLanguage) {
  const std::vector<std::string> has = {"en_US", "de", "pt_BR", "zh_CN", "zh_TW"};
  const std::pair<std::string, std::string> cases[] = {
      {"", "en_US"},   {"en", "en_US"},    {"en-GB", "en_US"}, {"de", "de"},
      {"de-CH", "de"}, {"pt-PT", "pt_BR"}, {"zh-TW", "zh_TW"}, {"ja", "en_US"}};
  for (const auto& [locale, language] : cases) {
    EXPECT_EQ(whatsapp_language(has, locale), language) << locale;
  }
}

TEST_F(ProviderTest, WhatsappFillsTheTemplate) {
  carrier.answer = {.status = 200, .body = k_whatsapp_yes, .headers = {}};
  auto provider = make_whatsapp(whatsapp_config(carrier.url()), client, clock).value();
  auto message = typical_message("whatsapp", "+14155552671");
  EXPECT_EQ(send(*provider, message).reason, "no code");
  message.code = Secret("48\"1623");
  message.locale = "pt-PT";
  const auto outcome = send(*provider, message);
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "wamid.HBgLMTQx+/NT==");
  EXPECT_EQ(carrier.last.path, "/v21.0/106540352242922/messages");
  EXPECT_EQ(net::find_header(carrier.last.headers, "Authorization"), "Bearer EAAJB");
  const auto parameters = nlohmann::json::parse(R"([{"type":"text","text":"48\"1623"}])");
  const nlohmann::json expected = {
      {"messaging_product", "whatsapp"},
      {"recipient_type", "individual"},
      {"to", "14155552671"},
      {"type", "template"},
      {"template",
       {{"name", "login_code"},
        {"language", {{"code", "pt_BR"}}},
        {"components", nlohmann::json::array({{{"type", "body"}, {"parameters", parameters}},
                                              {{"type", "button"},
                                               {"sub_type", "url"},
                                               {"index", "0"},
                                               {"parameters", parameters}}})}}}};
  EXPECT_EQ(nlohmann::json::parse(carrier.last.body), expected);
  EXPECT_TRUE(provider->receipts_by_message_id());
  EXPECT_EQ(provider->receipts(), nullptr);
  EXPECT_EQ(send(*provider, typical_message("sms", "+1")).reason, "channel");
}

TEST_F(ProviderTest, WhatsappRefusesImpossibleSettings) {
  const auto made = [&](auto change) {
    WhatsappConfig config = whatsapp_config("https://graph.facebook.com");
    change(config);
    const auto provider = make_whatsapp(std::move(config), client, clock);
    return provider ? std::string("made") : provider.error().message;
  };
  EXPECT_EQ(made([](WhatsappConfig& c) { c.app_secret = Secret("x"); }), "made");
  EXPECT_EQ(made([](WhatsappConfig& c) { c.version = "v1/.."; }), "whatsapp: version: none");
  EXPECT_EQ(made([](WhatsappConfig& c) { c.phone_number_id = ""; }),
            "whatsapp: phone_number_id: none");
  EXPECT_EQ(made([](WhatsappConfig& c) { c.access_token = Secret(); }),
            "whatsapp: access_token: missing");
  EXPECT_EQ(made([](WhatsappConfig& c) { c.template_name = ""; }), "whatsapp: template: missing");
  EXPECT_EQ(made([](WhatsappConfig& c) { c.languages = {}; }), "whatsapp: languages: missing");
}

std::string read_whatsapp(const std::string& body, const std::string& signature,
                          const std::string& type = "application/json") {
  CallbackCase callback;
  callback.body = body;
  callback.headers = {{"Content-Type", type}, {"X-Hub-Signature-256", signature}};
  return callback.read_by(*make_whatsapp_receipts(Secret("app"), Secret("word")),
                          TimePoint(Seconds(1)));
}

std::string hub_signature(const std::string& body, const std::string& secret = "app") {
  return "sha256=" + hex_encode(crypto::hmac_sha256(secret, body));
}

std::string read_whatsapp(const std::string& body) {
  return read_whatsapp(body, hub_signature(body));
}

std::string whatsapp_webhook(const std::string& statuses) {
  return R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",)"
         R"("value":{"messaging_product":"whatsapp","statuses":[)" +
         statuses + "]}}]}]}";
}

TEST(WhatsappReceipts, ReadsEveryStatus) {
  const auto one = [](const std::string& status) {
    return read_whatsapp(
        whatsapp_webhook(R"({"id":"wamid.1=","recipient_id":"1",)" + status + "}"));
  };
  EXPECT_EQ(one(R"("status":"sent")"), "on_its_way wamid.1=");
  EXPECT_EQ(one(R"("status":"delivered")"), "delivered wamid.1=");
  EXPECT_EQ(one(R"("status":"read")"), "delivered wamid.1=");
  EXPECT_EQ(one(R"("status":"failed","errors":[{"code":131026,"title":"x"}])"),
            "failed wamid.1= 131026");
  EXPECT_EQ(one(R"("status":"failed")"), "failed wamid.1= failed");
  EXPECT_EQ(one(R"("status":7)"), "on_its_way wamid.1=");
  EXPECT_EQ(
      read_whatsapp(whatsapp_webhook(R"({"id":"a","status":"sent"},{"id":"a","status":"read"},)"
                                     R"({"status":"read"},{"id":"b c"},7,null)")),
      "on_its_way a, delivered a");
}

TEST(WhatsappReceipts, WhatIsNoStatusSaysNothing) {
  for (const std::string& body :
       {std::string("{}"), whatsapp_webhook(""), std::string(R"({"entry":7})"),
        std::string(R"({"entry":[{"changes":[{"value":{"messages":[{"id":"x"}]}}]}]})"),
        std::string(R"({"entry":{"changes":{"value":"statuses"}}})")}) {
    EXPECT_EQ(read_whatsapp(body), "") << body;
  }
}

TEST(WhatsappReceipts, BelievesNothingElse) {
  const std::string good = whatsapp_webhook(R"({"id":"a","status":"read"})");
  EXPECT_EQ(read_whatsapp(good), "delivered a");
  const std::string right = hub_signature(good);
  for (const std::string& bad :
       {std::string(), std::string("sha256="), right.substr(7), right + "0", right.substr(0, 70),
        "SHA256=" + right.substr(7), hub_signature(good, "apq"), hub_signature(good + " ")}) {
    EXPECT_EQ(read_whatsapp(good, bad), "invalid") << bad;
  }
  EXPECT_EQ(read_whatsapp(good, right, "text/plain"), "invalid");
  std::string many = R"({"id":"a","status":"sent"})";
  for (int i = 0; i < 1'000; ++i) many += R"(,{"id":"a","status":"sent"})";
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{"), std::string("\"x\""),
        whatsapp_webhook(many), "{\"entry\":\"" + std::string(70'000, 'x') + "\"}"}) {
    EXPECT_EQ(read_whatsapp(body), "invalid") << body.substr(0, 40);
  }
  CallbackCase get{.method = "GET", .query = "hub.mode=subscribe", .headers = {}};
  EXPECT_EQ(get.read_by(*make_whatsapp_receipts(Secret("app"), Secret("word")), TimePoint{}),
            "invalid");
}

TEST(WhatsappReceipts, AnswersTheQuestionBeforeTheFirst) {
  const auto asked = [](const std::string& query, const std::string& word = "word",
                        const std::string& method = "GET") {
    const std::vector<std::pair<std::string, std::string>> headers;
    return make_whatsapp_receipts(Secret("app"), Secret(std::string(word)))
        ->answer_to({method, "https://a.example/c", query, "", headers})
        .value_or("nothing");
  };
  const std::string good = "hub.mode=subscribe&hub.verify_token=word&hub.challenge=1158201444";
  EXPECT_EQ(asked(good), "1158201444");
  EXPECT_EQ(asked(good, "other"), "nothing");
  EXPECT_EQ(asked(good, ""), "nothing");
  EXPECT_EQ(asked("hub.mode=subscribe&hub.verify_token=&hub.challenge=1", ""), "nothing");
  EXPECT_EQ(asked(good, "word", "POST"), "nothing");
  for (const std::string& bad :
       {std::string(), std::string("hub.mode=unsubscribe&hub.verify_token=word&hub.challenge=1"),
        std::string("hub.mode=subscribe&hub.verify_token=word"), good + "&hub.challenge=2",
        std::string("hub.mode=subscribe&hub.verify_token=word&hub.challenge=%3Cscript%3E"),
        good + std::string(200, '1'), good + "&hub.verify_token=word", good + "&%"}) {
    EXPECT_EQ(asked(bad), "nothing") << bad;
  }
}

}  // namespace
}  // namespace otpd::providers
