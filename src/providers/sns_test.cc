#include "providers/sns.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "providers/test_carrier.h"

namespace otpd::providers {
namespace {

SnsConfig sns_config(const std::string& url) {
  SnsConfig config;
  config.base_url = url;
  config.region = "eu-west-1";
  config.access_key_id = "AKIDEXAMPLE";
  config.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  return config;
}

const std::string k_sns_yes =
    "<PublishResponse xmlns=\"https://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>"
    "<MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>"
    "<ResponseMetadata><RequestId>f187a3c1</RequestId></ResponseMetadata></PublishResponse>";

std::string sns_error(const std::string& code, const std::string& message = "no") {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
         "</Message></Error><RequestId>1</RequestId></ErrorResponse>";
}

TEST(Sns, ClassifiesEveryAnswer) {
  const std::string number =
      "Invalid parameter: PhoneNumber Reason: +14155552671 is not valid to publish to";
  const struct {
    int status;
    std::string body;
    Kind kind;
    std::string_view reason;
  } cases[] = {
      {200, k_sns_yes, Kind::accepted, ""},
      {200, "", Kind::transient, "no MessageId"},
      {200, "<html/>", Kind::transient, "no MessageId"},
      {200, "<MessageId></MessageId>", Kind::transient, "no MessageId"},
      {200, "<MessageId>a b</MessageId>", Kind::transient, "no MessageId"},
      {200, k_sns_yes + k_sns_yes, Kind::transient, "no MessageId"},
      {400, sns_error("Throttling", "Rate exceeded"), Kind::throttled, "Throttling"},
      {400, sns_error("ThrottlingException"), Kind::throttled, "ThrottlingException"},
      {429, sns_error("Throttled"), Kind::throttled, "Throttled"},
      {429, "", Kind::throttled, "http 429"},
      {400, sns_error("OptedOut"), Kind::rejected, "OptedOut"},
      {400, sns_error("InvalidParameter", number), Kind::rejected, "InvalidParameter"},
      {400, sns_error("InvalidParameterValue", number), Kind::rejected, "InvalidParameterValue"},
      {400, sns_error("InvalidParameter", "Message too long"), Kind::transient, "InvalidParameter"},
      {403, sns_error("AuthorizationError"), Kind::misconfigured, "AuthorizationError"},
      {403, sns_error("SignatureDoesNotMatch"), Kind::misconfigured, "SignatureDoesNotMatch"},
      {403, sns_error("InvalidClientTokenId"), Kind::misconfigured, "InvalidClientTokenId"},
      {403, sns_error("ExpiredToken"), Kind::misconfigured, "ExpiredToken"},
      {404, sns_error("NotFound"), Kind::misconfigured, "NotFound"},
      {400, sns_error("+14155552671 <b>"), Kind::transient, "http 400"},
      {400, "", Kind::transient, "http 400"},
      {500, sns_error("InternalError"), Kind::transient, "InternalError"},
      {503, sns_error("ServiceUnavailable"), Kind::transient, "ServiceUnavailable"},
      {302, k_sns_yes, Kind::transient, "http 302"},
  };
  for (const auto& c : cases) {
    const auto outcome = classify_sns(c.status, {}, c.body, TimePoint{});
    EXPECT_EQ(outcome.kind, c.kind) << c.status << c.body;
    EXPECT_EQ(outcome.reason, c.reason) << c.status << c.body;
    EXPECT_EQ(outcome.message_id,
              c.kind == Kind::accepted ? "94f20ce6-13c5-43a0-9a9e-ca52d816e90b" : "");
  }
}

std::string sns_hash(std::string_view text) {
  return hex_encode(crypto::digest(crypto::Digest::sha256, text));
}

// AWS Signature Version 4 worked out again from what arrived, for the headers it says it signed.
std::string expected_authorization(const net::HttpRequest& request, const std::string& secret,
                                   const std::string& scope, const std::string& names) {
  std::string headers;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ';');) {
    headers += name + ":" + std::string(net::find_header(request.headers, name)) + "\n";
  }
  const std::string canonical =
      "POST\n" + request.path + "\n\n" + headers + "\n" + names + "\n" + sns_hash(request.body);
  const std::string date(net::find_header(request.headers, "X-Amz-Date"));
  const std::string to_sign =
      "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sns_hash(canonical);
  std::string key = "AWS4" + secret;
  std::istringstream parts(scope);
  for (std::string part; std::getline(parts, part, '/');) {
    key = crypto::hmac(crypto::Digest::sha256, key, part);
  }
  return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/" + scope + ", SignedHeaders=" + names +
         ", Signature=" + hex_encode(crypto::hmac(crypto::Digest::sha256, key, to_sign));
}

std::string names_in(const std::string& authorization) {
  const std::size_t at = authorization.find("SignedHeaders=") + 14;
  return authorization.substr(at, authorization.find(',', at) - at);
}

TEST_F(ProviderTest, SnsSignsWhatItSends) {
  carrier.answer = {.status = 200, .content_type = "text/xml", .body = k_sns_yes, .headers = {}};
  for (const bool temporary : {false, true}) {
    SnsConfig config = sns_config(carrier.url());
    const std::string secret(config.secret_access_key.reveal());
    if (temporary) config.session_token = Secret("IQoJb3+/=");
    auto provider = make_sns(std::move(config), client, clock).value();
    EXPECT_EQ(send(*provider, typical_message("sms", "+14155552671")).kind, Kind::accepted);
    const auto& request = carrier.last;
    const std::string authorization(net::find_header(request.headers, "Authorization"));
    const std::string names = names_in(authorization);
    const std::string scope =
        std::string(net::find_header(request.headers, "X-Amz-Date").substr(0, 8)) +
        "/eu-west-1/sns/aws4_request";
    EXPECT_EQ(authorization, expected_authorization(request, secret, scope, names));
    EXPECT_TRUE(names.contains("content-type;host;x-amz-date")) << names;
    EXPECT_EQ(names.contains("x-amz-security-token"), temporary) << names;
    EXPECT_EQ(net::find_header(request.headers, "X-Amz-Security-Token"),
              temporary ? "IQoJb3+/=" : "");
    EXPECT_FALSE(names.contains("expect")) << names;
    EXPECT_EQ(net::count_headers(request.headers, "Expect"), 0U);
  }
}

TEST_F(ProviderTest, SnsSendsWhatTheApiWants) {
  carrier.answer = {.status = 200, .content_type = "text/xml", .body = k_sns_yes, .headers = {}};
  SnsConfig config = sns_config(carrier.url());
  config.sender_id = "ACME";
  config.origination_number = "+15005550006";
  auto provider = make_sns(std::move(config), client, clock).value();
  const auto outcome = send(*provider, typical_message("sms", "+14155552671"));
  EXPECT_EQ(outcome.message_id, "94f20ce6-13c5-43a0-9a9e-ca52d816e90b");
  EXPECT_EQ(carrier.last.path, "/");
  EXPECT_EQ(carrier.last.body,
            "Action=Publish&Version=2010-03-31&PhoneNumber=%2B14155552671&Message=481623%20%C3%A8%"
            "20il%20codice%20%26%20pi%C3%B9.%0A%40login.example.com%20%23481623&"
            "MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value."
            "DataType=String&MessageAttributes.entry.1.Value.StringValue=Transactional&"
            "MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID&MessageAttributes.entry.2.Value."
            "DataType=String&MessageAttributes.entry.2.Value.StringValue=ACME&"
            "MessageAttributes.entry.3.Name=AWS.MM.SMS.OriginationNumber&"
            "MessageAttributes.entry.3.Value.DataType=String&MessageAttributes.entry.3.Value."
            "StringValue=%2B15005550006");
  EXPECT_EQ(send(*provider, typical_message("email", "a@b")).reason, "channel");
  EXPECT_EQ(provider->receipts(), nullptr);
  // The same client signs in by Basic again afterwards.
  net::HttpCall call{.url = carrier.url() + "/basic", .user = "u", .password = "p"};
  bool done = false;
  const auto body = [&]() -> Task<void> {
    (void)co_await client.http(call);
    done = true;
  };
  boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
  loop.restart();
  while (!done && loop.run_one() > 0) {
  }
  EXPECT_EQ(net::find_header(carrier.last.headers, "Authorization"), "Basic dTpw");
}

TEST_F(ProviderTest, SnsRefusesImpossibleSettings) {
  const auto made = [&](auto change) {
    SnsConfig config = sns_config("");
    change(config);
    const auto provider = make_sns(std::move(config), client, clock);
    return provider ? std::string("made") : provider.error().message;
  };
  EXPECT_EQ(made([](SnsConfig&) {}), "made");
  EXPECT_EQ(made([](SnsConfig& c) { c.region = "a.evil.example/"; }), "sns: region: missing");
  EXPECT_EQ(made([](SnsConfig& c) { c.access_key_id = ""; }), "sns: access_key_id: missing");
  EXPECT_EQ(made([](SnsConfig& c) { c.secret_access_key = Secret(); }),
            "sns: secret_access_key: missing");
}

}  // namespace
}  // namespace otpd::providers
