#include "providers/twilio_receipts.h"

#include <gtest/gtest.h>

#include "providers/test_callback.h"

namespace otpd::providers {
namespace {

constexpr TimePoint k_twilio_now{Seconds(1'700'000'000)};
const std::string k_twilio_form = "application/x-www-form-urlencoded";

std::string read_twilio_form(const std::string& body, const std::string& signed_url,
                             const std::string& url, const std::string& token = "12345") {
  CallbackCase callback;
  callback.url = url;
  callback.body = body;
  callback.headers = {
      {"Content-Type", k_twilio_form + "; charset=UTF-8"},
      {"X-Twilio-Signature", twilio_signature(token, signed_url, *net::form_decode(body, 1'000))}};
  return callback.read_by(*make_twilio_receipts(Secret("12345")), k_twilio_now);
}

std::string read_twilio_form(const std::string& body) {
  const std::string url = "https://otp.example.com/callbacks/x?m=1";
  return read_twilio_form(body, url, url);
}

// Twilio's own documented examples.
TEST(TwilioReceipts, SignsAsTwilioDoes) {
  const std::string url = "https://mycompany.com/myapp.php?foo=1&bar=2";
  net::FormFields fields = {{"To", "+18005551212"},
                            {"Digits", "1234"},
                            {"CallSid", "CA1234567890ABCDE"},
                            {"From", "+12349013030"},
                            {"Caller", "+12349013030"}};
  EXPECT_EQ(twilio_signature("12345", url, fields), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
  fields[3].second = fields[4].second = "+14158675309";
  EXPECT_EQ(twilio_signature("12345", url, fields), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  fields[3].second = fields[4].second = "+14158675310";
  EXPECT_EQ(twilio_signature("12345", url, fields), "GvWf1cFY/Q7PnoempGyD5oXAezc=");
  // Equal names: each different value once, sorted.
  EXPECT_EQ(twilio_signature("k", url, {{"a", "2"}, {"a", "1"}, {"a", "2"}}),
            twilio_signature("k", url + "a1a2", {}));
}

TEST(TwilioReceipts, ReadsEveryStatus) {
  const std::pair<std::string, std::string> cases[] = {
      {"MessageSid=SM1&MessageStatus=queued", "on_its_way SM1"},
      {"MessageSid=SM1&MessageStatus=sending", "on_its_way SM1"},
      {"MessageSid=SM1&MessageStatus=sent", "on_its_way SM1"},
      {"MessageSid=SM1&MessageStatus=delivered&SmsSid=SM1", "delivered SM1"},
      {"MessageSid=SM1&MessageStatus=read", "delivered SM1"},
      {"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003", "failed SM1 30003"},
      {"MessageSid=SM1&MessageStatus=failed&ErrorCode=30007&To=%2B14155552671", "failed SM1 30007"},
      {"MessageSid=SM1&MessageStatus=failed&ErrorCode=no+code", "failed SM1 failed"},
      {"MessageSid=SM1&MessageStatus=canceled", "failed SM1 canceled"},
      {"MessageSid=SM1&MessageStatus=invented", "on_its_way SM1"},
      {"CallSid=CA1&CallStatus=in-progress", "on_its_way CA1"},
      {"CallSid=CA1&CallStatus=completed", "delivered CA1"},
      {"CallSid=CA1&CallStatus=no-answer", "failed CA1 no-answer"},
      {"CallSid=CA1&CallStatus=busy", "failed CA1 busy"},
  };
  for (const auto& [body, expected] : cases) EXPECT_EQ(read_twilio_form(body), expected) << body;
}

TEST(TwilioReceipts, BelievesNothingElse) {
  const std::string good = "MessageSid=SM1&MessageStatus=delivered";
  const std::string url = "https://otp.example.com/callbacks/x?m=1";
  EXPECT_EQ(read_twilio_form(good, url, url, "12346"), "invalid");
  EXPECT_EQ(read_twilio_form(good, url + "2", url), "invalid");
  std::string huge = good;
  for (int i = 0; i < 120; ++i) huge += "&a=" + std::to_string(i);
  for (const std::string& body :
       {std::string(), std::string("MessageSid=SM1"), std::string("MessageStatus=delivered"),
        good + "&MessageSid=SM2", good + "&MessageStatus=failed",
        std::string("MessageSid=&") + good, std::string("MessageSid=..%2F&MessageStatus=sent"),
        huge, good + "&a=" + std::string(70'000, 'x')}) {
    EXPECT_EQ(read_twilio_form(body), "invalid") << body.substr(0, 80);
  }
}

TEST(TwilioReceipts, TheHeadersMustBeThereOnce) {
  const auto reader = make_twilio_receipts(Secret("12345"));
  CallbackCase callback;
  callback.body = "MessageSid=SM1&MessageStatus=delivered";
  const std::string signature =
      twilio_signature("12345", callback.url, *net::form_decode(callback.body, 10));
  const auto with = [&](std::vector<std::pair<std::string, std::string>> headers,
                        const std::string& method = "POST") {
    callback.headers = std::move(headers);
    callback.method = method;
    return callback.read_by(*reader, k_twilio_now);
  };
  const std::pair<std::string, std::string> type = {"content-type", k_twilio_form};
  const std::pair<std::string, std::string> sign = {"x-twilio-signature", signature};
  EXPECT_EQ(with({type, sign}), "delivered SM1");
  EXPECT_EQ(with({type, sign}, "GET"), "invalid");
  EXPECT_EQ(with({type}), "invalid");
  EXPECT_EQ(with({sign}), "invalid");
  EXPECT_EQ(with({type, sign, sign}), "invalid");
  EXPECT_EQ(with({type, {"X-Twilio-Signature", ""}}), "invalid");
  EXPECT_EQ(with({type, {"X-Twilio-Signature", signature + "="}}), "invalid");
  EXPECT_EQ(with({{"Content-Type", "application/json"}, sign}), "invalid");
  callback.body += "&ErrorCode=1";
  EXPECT_EQ(with({type, sign}), "invalid");
}

TEST(TwilioReceipts, TheDefaultPortMakesNoDifference) {
  const std::string body = "MessageSid=SM1&MessageStatus=delivered";
  const struct {
    std::string signed_url, url;
    bool same;
  } cases[] = {
      {"https://a.example:443/x?y", "https://a.example/x?y", true},
      {"https://a.example/x?y", "https://a.example:443/x?y", true},
      {"http://a.example:80/x", "http://a.example/x", true},
      {"http://a.example/x", "http://a.example:80/x", true},
      {"https://[::1]:443/x", "https://[::1]/x", true},
      {"https://a.example:443?y", "https://a.example?y", true},
      {"https://a.example:8443/x", "https://a.example:8443/x", true},
      {"https://a.example:80/x", "https://a.example/x", false},
      {"https://a.example/x", "https://a.example:8443/x", false},
      {"http://a.example/x", "https://a.example/x", false},
      {"https://a.example/x", "https://a.example/x/", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(read_twilio_form(body, c.signed_url, c.url), c.same ? "delivered SM1" : "invalid")
        << c.signed_url << " " << c.url;
  }
}

}  // namespace
}  // namespace otpd::providers
