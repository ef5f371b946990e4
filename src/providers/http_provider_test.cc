#include "providers/http_provider.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "providers/http_template.h"
#include "providers/test_callback.h"
#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

HttpProviderConfig http_config(const std::string& url) {
  HttpProviderConfig config;
  config.url = url + "/send";
  config.body = R"({"to":"{to}","text":"{text}"})";
  return config;
}

delivery::Message odd_message() {
  delivery::Message message = typical_message("sms", "+14155552671");
  message.text = Secret("a\"b\\\n<&>é\x01");
  message.code = Secret("48 16");
  message.callback_url = "https://a.example/c?d=e";
  return message;
}

std::string filled(const std::string& text, Encoding encoding) {
  return std::string(
      HttpTemplate::parse(text).value().fill(odd_message(), "s=1", encoding).reveal());
}

TEST(HttpTemplate, EncodesEveryValueForItsPlace) {
  EXPECT_EQ(filled("{text}|{code}", Encoding::plain), "a\"b\\\n<&>é\x01|48 16");
  EXPECT_EQ(filled("{\"t\":\"{text}\"}", Encoding::json), "{\"t\":\"a\\\"b\\\\\\n<&>é\\u0001\"}");
  EXPECT_EQ(filled("t={text}&c={code}", Encoding::percent),
            "t=a%22b%5C%0A%3C%26%3E%C3%A9%01&c=48%2016");
  EXPECT_EQ(filled("<t a=\"{text}\"/>", Encoding::xml), "<t a=\"a&quot;b\\\n&lt;&amp;&gt;é \"/>");
}

TEST(HttpTemplate, KnowsItsPlaceholders) {
  EXPECT_EQ(filled("{to} {to_digits} {channel} {job_id} {expires_in_s} {secret} {callback_url}",
                   Encoding::plain),
            "+14155552671 14155552671 sms 0123abcd 299 s=1 https://a.example/c?d=e");
  EXPECT_EQ(filled("{purpose}{locale}{country}|{subject}", Encoding::plain), "|Ihr Code für Bänk");
  // Braces that hold no name are text.
  for (const char* text :
       {"", "{", "}", "{}", "{ to}", "{To}", "{\"a\":{\"b\":[{}]}}", "{to", "{{"}) {
    EXPECT_EQ(filled(text, Encoding::json), text);
  }
  EXPECT_EQ(filled("{{to}}", Encoding::plain), "{+14155552671}");
  for (const char* bad : {"{txet}", "x {too} y", "{to_}", "{0}"}) {
    EXPECT_FALSE(HttpTemplate::parse(bad)) << bad;
  }
  EXPECT_TRUE(HttpTemplate::parse("a{to}")->uses("to"));
  EXPECT_FALSE(HttpTemplate::parse("to")->uses("to"));
}

TEST(HttpTemplate, TheContentTypeDecidesTheEncoding) {
  const std::pair<std::string, Encoding> cases[] = {
      {"application/json", Encoding::json},
      {"Application/JSON; charset=utf-8", Encoding::json},
      {"application/vnd.x+json", Encoding::json},
      {"application/x-www-form-urlencoded ;x", Encoding::percent},
      {"text/xml", Encoding::xml},
      {"application/soap+xml", Encoding::xml},
      {"text/plain", Encoding::plain},
      {"", Encoding::plain},
  };
  for (const auto& [type, encoding] : cases) EXPECT_EQ(encoding_of(type), encoding) << type;
}

TEST_F(ProviderTest, HttpSendsWhatIsDescribed) {
  carrier.answer = {.status = 201, .body = R"({"data":[{"id":77}]})", .headers = {}};
  HttpProviderConfig config = http_config(carrier.url());
  config.url += "/{channel}?to={to}";
  config.method = "PUT";
  config.headers = {"X-Key: {secret}", "X-Job:{job_id}"};
  config.user = "u";
  config.password = Secret("p");
  config.secret = Secret("k");
  config.id_pointer = "/data/0/id";
  auto provider = make_http_provider(std::move(config), client, clock).value();
  const auto outcome = send(*provider, odd_message());
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "77");
  EXPECT_EQ(carrier.last.method, "PUT");
  EXPECT_EQ(carrier.last.path + "?" + carrier.last.query, "/send/sms?to=%2B14155552671");
  EXPECT_EQ(carrier.last.body, R"({"to":"+14155552671","text":"a\"b\\\n<&>é\u0001"})");
  EXPECT_EQ(net::find_header(carrier.last.headers, "Content-Type"), "application/json");
  EXPECT_EQ(net::find_header(carrier.last.headers, "X-Key"), "k");
  EXPECT_EQ(net::find_header(carrier.last.headers, "X-Job"), "0123abcd");
  EXPECT_EQ(net::find_header(carrier.last.headers, "Authorization"), "Basic dTpw");
  EXPECT_TRUE(provider->receipts_by_message_id());
  EXPECT_EQ(provider->receipts(), nullptr);
}

TEST_F(ProviderTest, HttpKnowsGetFormsAndCallbacks) {
  carrier.answer = {.status = 200, .body = "OK 1", .headers = {}};
  HttpProviderConfig config = http_config(carrier.url());
  config.method = "GET";
  config.url += "?to={to_digits}&dlr={callback_url}";
  config.body.clear();
  auto provider = make_http_provider(std::move(config), client, clock).value();
  EXPECT_EQ(send(*provider, odd_message()).message_id, "0123abcd");
  EXPECT_EQ(carrier.last.method + carrier.last.body, "GET");
  EXPECT_EQ(carrier.last.query, "to=14155552671&dlr=https%3A%2F%2Fa.example%2Fc%3Fd%3De");
  EXPECT_FALSE(provider->receipts_by_message_id());

  config = http_config(carrier.url());
  config.content_type = "application/x-www-form-urlencoded";
  config.body = "to={to}&text={text}";
  provider = make_http_provider(std::move(config), client, clock).value();
  send(*provider, odd_message());
  EXPECT_EQ(carrier.last.body, "to=%2B14155552671&text=a%22b%5C%0A%3C%26%3E%C3%A9%01");

  config = http_config(carrier.url());
  config.headers = {"X-Text: {text}"};
  provider = make_http_provider(std::move(config), client, clock).value();
  carrier.last = {};
  EXPECT_EQ(send(*provider, odd_message()).reason, "unusable header");
  EXPECT_TRUE(carrier.last.path.empty());
}

TEST_F(ProviderTest, HttpClassifiesByItsRules) {
  HttpProviderConfig config = http_config(carrier.url());
  config.success = {"200", "201"};
  config.success_rule = "/status=0";
  config.id_pointer = "/id";
  config.error_pointer = "/status";
  config.rejected = {"/status=7", "404"};
  config.misconfigured = {"/status=4", "402"};
  config.throttled = {"/status=1", "420", "/a~1b=true"};
  config.transient = {"4xx"};
  auto provider = make_http_provider(std::move(config), client, clock).value();
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view id, reason;
  } cases[] = {
      {200, R"({"status":0,"id":"m1"})", Kind::accepted, "m1", ""},
      {201, R"({"status":"0","id":"m:1/="})", Kind::accepted, "m:1/=", ""},
      {200, R"({"status":0,"id":"a b"})", Kind::accepted, "0123abcd", ""},
      {202, R"({"status":0})", Kind::transient, "", "0"},
      {200, R"({"status":"7"})", Kind::rejected, "", "7"},
      {404, R"({"status":1})", Kind::throttled, "", "1"},
      {404, "", Kind::rejected, "", "http 404"},
      {402, "[]", Kind::misconfigured, "", "http 402"},
      {420, "{", Kind::throttled, "", "http 420"},
      {500, R"({"status":4})", Kind::misconfigured, "", "4"},
      {200, R"({"a/b":true,"status":"to +1"})", Kind::throttled, "", "http 200"},
      {429, "", Kind::transient, "", "http 429"},
      {401, "", Kind::transient, "", "http 401"},
      {503, "", Kind::transient, "", "http 503"},
      {200, "", Kind::transient, "", "http 200"},
      {200, R"({"status":[0]})", Kind::transient, "", "http 200"},
  };
  for (const auto& c : cases) {
    carrier.answer = {.status = c.status, .body = c.body, .headers = {{"Retry-After", "5"}}};
    const auto outcome = send(*provider, odd_message());
    EXPECT_EQ(outcome.kind, c.kind) << c.status << c.body;
    EXPECT_EQ(outcome.message_id, c.id) << c.status << c.body;
    EXPECT_EQ(outcome.reason, c.reason) << c.status << c.body;
    const bool waits = c.kind == Kind::throttled || c.kind == Kind::transient;
    EXPECT_EQ(outcome.retry_after.has_value(), waits);
  }
  provider = make_http_provider(http_config(carrier.url()), client, clock).value();
  const std::pair<int, Kind> without_rules[] = {{204, Kind::accepted},  {302, Kind::transient},
                                                {400, Kind::transient}, {408, Kind::transient},
                                                {429, Kind::throttled}, {500, Kind::transient}};
  for (const auto& [status, kind] : without_rules) {
    carrier.answer = {.status = status, .body = "", .headers = {}};
    EXPECT_EQ(send(*provider, odd_message()).kind, kind) << status;
  }
}

TEST_F(ProviderTest, HttpRefusesImpossibleSettings) {
  const auto made = [&](auto change) {
    HttpProviderConfig config = http_config("https://a.example");
    change(config);
    const auto provider = make_http_provider(std::move(config), client, clock);
    return provider ? std::string("made") : provider.error().message;
  };
  EXPECT_EQ(made([](HttpProviderConfig&) {}), "made");
  EXPECT_EQ(made([](auto& c) { c.url = "{to}"; }), "http: url: not an http or https URL");
  EXPECT_EQ(made([](auto& c) { c.url += "{x}"; }), "http: url: there is no placeholder {x}");
  EXPECT_EQ(made([](auto& c) { c.body = "{x}"; }), "http: body: there is no placeholder {x}");
  EXPECT_EQ(made([](auto& c) { c.headers = {"X"}; }), "http: headers: not Name: value");
  EXPECT_EQ(made([](auto& c) { c.headers = {": x"}; }), "http: headers: not Name: value");
  EXPECT_EQ(made([](auto& c) { c.success = {}; }), "http: success: missing");
  EXPECT_EQ(made([](auto& c) { c.id_pointer = "id"; }), "http: id_pointer: not a JSON pointer");
  EXPECT_EQ(made([](auto& c) { c.success_rule = "x"; }), "http: success_rule: not /pointer=value");
  for (const char* bad :
       {"", "20", "2000", "0xx", "6xx", "2x0", "20x", "-20", "/a", "a=b", "/~=1"}) {
    EXPECT_EQ(made([&](auto& c) { c.rejected = {bad}; }),
              "http: rejected: not a status, a class of statuses or /pointer=value")
        << bad;
  }
  EXPECT_EQ(made([](auto& c) { c.receipts.proof = ReceiptProof::header; }),
            "http: receipts: no header for the proof");
}

HttpReceiptConfig receipt_config(ReceiptProof proof) {
  return {.proof = proof,
          .header = "X-Proof",
          .secret = Secret("secret"),
          .id_pointer = "/id",
          .state_pointer = "/s",
          .reason_pointer = "/why",
          .delivered = {"ok", "2"},
          .failed = {"bad"}};
}

std::string read_http(ReceiptProof proof, const CallbackCase& callback) {
  return callback.read_by(**make_http_receipts(receipt_config(proof)), TimePoint{});
}

std::string read_by_header(const std::string& body, const std::string& type = "application/json",
                           const std::string& given = "secret") {
  return read_http(ReceiptProof::header,
                   {.body = body, .headers = {{"Content-Type", type}, {"x-proof", given}}});
}

TEST(HttpReceipts, ReadsEveryState) {
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"ok"})"), "delivered m1");
  EXPECT_EQ(read_by_header(R"({"id":17,"s":2})"), "delivered 17");
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"bad","why":"e-1"})"), "failed m1 e-1");
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"bad","why":"to +1"})"), "failed m1 failed");
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"bad"})"), "failed m1 failed");
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"OK"})"), "on_its_way m1");
  const std::string form = "application/x-www-form-urlencoded";
  EXPECT_EQ(read_by_header("id=m1&s=ok&x=%20", form), "delivered m1");
  EXPECT_EQ(
      read_http(ReceiptProof::header,
                {.method = "GET", .query = "s=bad&id=m1", .headers = {{"X-Proof", "secret"}}}),
      "failed m1 failed");
  for (const std::string& bad :
       {"", "id=m1", "s=ok", "id=m1&id=m2&s=ok", "id=m1&s=ok&s=bad", "id=%2"}) {
    EXPECT_EQ(read_by_header(bad, form), "invalid") << bad;
  }
  for (const std::string& bad :
       {std::string(), std::string("{}"), std::string("[]"),
        std::string(R"({"id":"a b","s":"ok"})"), std::string(R"({"id":["m1"],"s":"ok"})"),
        R"({"id":"m1","s":"ok"})" + std::string(70'000, ' ')}) {
    EXPECT_EQ(read_by_header(bad), "invalid") << bad.substr(0, 40);
  }
  EXPECT_EQ(read_by_header(R"({"id":"m1","s":"ok"})", "text/plain"), "invalid");
}

TEST(HttpReceipts, BelievesOnlyTheProof) {
  const std::string body = R"({"id":"m1","s":"ok"})";
  for (const char* bad : {"", "secre", "secret ", "Secret"}) {
    EXPECT_EQ(read_by_header(body, "application/json", bad), "invalid") << bad;
  }
  const std::string mac = crypto::hmac_sha256("secret", body);
  const auto with = [&](ReceiptProof proof, const std::string& given, const std::string& method,
                        const std::string& text) {
    return read_http(proof,
                     {.method = method,
                      .query = "id=m1&s=ok",
                      .body = text,
                      .headers = {{"Content-Type", "application/json"}, {"X-Proof", given}}});
  };
  const auto hex = ReceiptProof::hmac_sha256_hex;
  const auto base64 = ReceiptProof::hmac_sha256_base64;
  EXPECT_EQ(with(hex, hex_encode(mac), "POST", body), "delivered m1");
  EXPECT_EQ(with(hex, "sha256=" + hex_encode(mac), "POST", body), "delivered m1");
  EXPECT_EQ(with(base64, base64_encode(mac), "POST", body), "delivered m1");
  EXPECT_EQ(with(hex, hex_encode(mac), "POST", body + " "), "invalid");
  EXPECT_EQ(with(hex, hex_encode(mac), "GET", body), "invalid") << "the query is not signed";
  EXPECT_EQ(with(hex, hex_encode(crypto::hmac_sha256("secret", "")), "GET", ""), "invalid");
  EXPECT_EQ(with(hex, base64_encode(mac), "POST", body), "invalid");
  EXPECT_EQ(with(base64, hex_encode(mac), "POST", body), "invalid");
  EXPECT_EQ(with(hex, "", "POST", body), "invalid");
  EXPECT_EQ(with(hex, hex_encode(crypto::hmac_sha256("other", body)), "POST", body), "invalid");
}

TEST(HttpReceipts, RefusesImpossibleSettings) {
  const auto made = [](auto change) {
    HttpReceiptConfig config = receipt_config(ReceiptProof::header);
    change(config);
    const auto reader = make_http_receipts(std::move(config));
    return reader ? std::string(*reader ? "made" : "none") : reader.error().message;
  };
  EXPECT_EQ(made([](auto&) {}), "made");
  EXPECT_EQ(made([](auto& c) { c.proof = ReceiptProof::none; }), "none");
  EXPECT_EQ(made([](auto& c) { c.secret = Secret(); }), "http: receipts: no secret");
  EXPECT_EQ(made([](auto& c) { c.id_pointer = ""; }), "http: receipts: not a JSON pointer");
  EXPECT_EQ(made([](auto& c) { c.state_pointer = "s"; }), "http: receipts: not a JSON pointer");
  EXPECT_EQ(made([](auto& c) { c.reason_pointer = "/~"; }), "http: receipts: not a JSON pointer");
  EXPECT_EQ(made([](auto& c) { c.delivered = {}; }), "http: receipts: no word for delivered");
}

}  // namespace
}  // namespace otpd::providers
