#include "providers/vonage.h"

#include <gtest/gtest.h>

#include "net/form.h"
#include "providers/gsm_text.h"
#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

VonageConfig vonage_config(const std::string& url) {
  VonageConfig config;
  config.base_url = url;
  config.api_key = "key";
  config.api_secret = Secret("s&cret");
  config.from = "ACME";
  return config;
}

std::string vonage_part(const std::string& status) {
  return R"({"to":"14155552671","message-id":"0A0000-1","status":)" + status +
         R"(,"error-text":"x"})";
}

std::string vonage_answer(const std::string& parts) {
  return R"({"message-count":"1","messages":[)" + parts + "]}";
}

TEST(Vonage, ClassifiesEveryAnswer) {
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view reason;
  } cases[] = {
      {200, vonage_answer(vonage_part("\"0\"")), Kind::accepted, ""},
      {200, vonage_answer(vonage_part("0")), Kind::accepted, ""},
      {200, vonage_answer(vonage_part("\"0\"") + "," + vonage_part("\"0\"")), Kind::accepted, ""},
      {200, vonage_answer(vonage_part("\"0\"") + "," + vonage_part("\"1\"")), Kind::throttled,
       "vonage 1"},
      {200, vonage_answer(vonage_part("\"1\"")), Kind::throttled, "vonage 1"},
      {200, vonage_answer(vonage_part("\"2\"")), Kind::misconfigured, "vonage 2"},
      {200, vonage_answer(vonage_part("\"3\"")), Kind::rejected, "vonage 3"},
      {200, vonage_answer(vonage_part("\"4\"")), Kind::misconfigured, "vonage 4"},
      {200, vonage_answer(vonage_part("\"5\"")), Kind::transient, "vonage 5"},
      {200, vonage_answer(vonage_part("\"6\"")), Kind::transient, "vonage 6"},
      {200, vonage_answer(vonage_part("\"7\"")), Kind::rejected, "vonage 7"},
      {200, vonage_answer(vonage_part("\"9\"")), Kind::misconfigured, "vonage 9"},
      {200, vonage_answer(vonage_part("\"10\"")), Kind::transient, "vonage 10"},
      {200, vonage_answer(vonage_part("\"15\"")), Kind::misconfigured, "vonage 15"},
      {200, vonage_answer(vonage_part("\"33\"")), Kind::rejected, "vonage 33"},
      {200, vonage_answer(vonage_part("\"+14155552671\"")), Kind::transient, "unknown status"},
      {200, vonage_answer(vonage_part("null")), Kind::transient, "unknown status"},
      {200, vonage_answer(R"({"status":"0"})"), Kind::transient, "no message-id"},
      {200, vonage_answer(R"({"status":"0","message-id":"a b"})"), Kind::transient,
       "no message-id"},
      {200, vonage_answer(""), Kind::transient, "unusable answer"},
      {200, "", Kind::transient, "unusable answer"},
      {200, "<html>OK</html>", Kind::transient, "unusable answer"},
      {200, R"({"messages":{"status":"0"}})", Kind::transient, "unusable answer"},
      {200, "[]", Kind::transient, "unusable answer"},
      {302, vonage_answer(vonage_part("\"0\"")), Kind::transient, "http 302"},
      {401, "", Kind::misconfigured, "http 401"},
      {404, "", Kind::misconfigured, "http 404"},
      {408, "", Kind::transient, "http 408"},
      {429, "", Kind::throttled, "http 429"},
      {500, vonage_answer(vonage_part("\"0\"")), Kind::transient, "http 500"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_vonage(c.status, {}, c.body, TimePoint{});
    EXPECT_EQ(outcome.kind, c.kind) << c.status << c.body;
    EXPECT_EQ(outcome.reason, c.reason) << c.status << c.body;
    EXPECT_EQ(outcome.message_id, c.kind == Kind::accepted ? "0A0000-1" : "") << c.body;
  }
  EXPECT_EQ(classify_vonage(429, {{"Retry-After", "3"}}, "", TimePoint{}).retry_after, Seconds(3));
}

TEST(Vonage, KnowsWhichTextsFitGsm) {
  for (const char* text : {"", "481623 is your code.\n@host #481623", "è ä ß € {}[]~|\\^", "Ω¡¿"}) {
    EXPECT_TRUE(is_gsm_text(text)) << text;
  }
  for (const char* text : {"ê", "code `1`", "日本", "a\tb", "\xc3", "\xa8", "\x80", "ç", "😀"}) {
    EXPECT_FALSE(is_gsm_text(text)) << text;
  }
}

TEST_F(ProviderTest, VonageSendsWhatTheApiWants) {
  carrier.answer = {.status = 200, .body = vonage_answer(vonage_part("\"0\"")), .headers = {}};
  auto provider = make_vonage(vonage_config(carrier.url() + "/"), client, clock).value();
  auto message = typical_message("sms", "+14155552671");
  const auto outcome = send(*provider, message);
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "0A0000-1");
  EXPECT_EQ(carrier.last.path, "/sms/json");
  EXPECT_EQ(carrier.last.body,
            "api_key=key&api_secret=s%26cret&from=ACME&to=14155552671&text=481623%20%C3%A8%20il%20"
            "codice%20%26%20pi%C3%B9.%0A%40login.example.com%20%23481623&type=text&ttl=299999&"
            "client-ref=0123abcd");
  message.text = Secret("日本");
  message.valid_for = Millis(1);
  message.callback_url = "https://a.example/c";
  send(*provider, message);
  EXPECT_TRUE(carrier.last.body.ends_with(
      "&type=unicode&ttl=20000&client-ref=0123abcd&callback=https%3A%2F%2Fa.example%2Fc"))
      << carrier.last.body;
  EXPECT_EQ(send(*provider, typical_message("voice", "+1")).reason, "channel");
  EXPECT_EQ(provider->receipts(), nullptr);
}

TEST_F(ProviderTest, VonageRefusesImpossibleSettings) {
  const auto made = [&](auto change) {
    VonageConfig config = vonage_config("https://rest.nexmo.com");
    change(config);
    const auto provider = make_vonage(std::move(config), client, clock);
    return provider ? std::string("made") : provider.error().message;
  };
  EXPECT_EQ(made([](VonageConfig& c) { c.signature_secret = Secret("x"); }), "made");
  EXPECT_EQ(made([](VonageConfig& c) { c.base_url = "x"; }),
            "vonage: base_url: not an http or https URL");
  EXPECT_EQ(made([](VonageConfig& c) { c.api_key = ""; }), "vonage: api_key: missing");
  EXPECT_EQ(made([](VonageConfig& c) { c.api_secret = Secret(); }), "vonage: api_secret: missing");
  EXPECT_EQ(made([](VonageConfig& c) { c.from = ""; }), "vonage: from: missing");
}

}  // namespace
}  // namespace otpd::providers
