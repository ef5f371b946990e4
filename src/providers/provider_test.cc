#include <gtest/gtest.h>

#include "base/log.h"
#include "providers/log.h"
#include "providers/smtp.h"
#include "providers/test_carrier.h"
#include "providers/test_smtp_sink.h"
#include "providers/twilio.h"

namespace otpd::providers {
namespace {

TwilioConfig twilio_config(const std::string& url) {
  TwilioConfig config;
  config.base_url = url;
  config.account_sid = "AC1";
  config.auth_token = Secret(std::string("token"));
  config.from = "+15005550006";
  return config;
}
SmtpConfig smtp_config(const std::string& url) {
  SmtpConfig config;
  config.url = url;
  config.require_tls = false;
  config.from_address = "no-reply@example.com";
  config.from_name = "Example Bank";
  return config;
}

TEST_F(ProviderTest, TwilioSendsWhatTheApiWants) {
  auto provider = make_twilio(twilio_config(carrier.url() + "/"), client, clock).value();
  const auto outcome = send(*provider, typical_message("sms", "+14155552671"));
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "SM1");
  EXPECT_EQ(carrier.last.method, "POST");
  EXPECT_EQ(carrier.last.path, "/2010-04-01/Accounts/AC1/Messages.json");
  // printf AC1:token | base64
  EXPECT_EQ(net::find_header(carrier.last.headers, "Authorization"), "Basic QUMxOnRva2Vu");
  EXPECT_EQ(net::find_header(carrier.last.headers, "Content-Type"),
            "application/x-www-form-urlencoded");
  EXPECT_EQ(net::count_headers(carrier.last.headers, "Content-Type"), 1U);
  EXPECT_EQ(carrier.last.body,
            "To=%2B14155552671&From=%2B15005550006&Body=481623%20%C3%A8%20il%20codice%20%26%20pi%C3"
            "%B9.%0A%40login.example.com%20%23481623&ValidityPeriod=299");
}

TEST_F(ProviderTest, TwilioKnowsItsOtherSettings) {
  TwilioConfig config = twilio_config(carrier.url());
  config.api_key_sid = "SK1";
  config.api_key_secret = Secret(std::string("token"));
  config.from.clear();
  config.messaging_service_sid = "MG1";
  auto provider = make_twilio(std::move(config), client, clock).value();
  auto message = typical_message("whatsapp", "+14155552671");
  message.valid_for = Seconds(-3);
  message.callback_url = "https://otp.example.com/callbacks/twilio?a=b";
  EXPECT_EQ(send(*provider, message).kind, Kind::accepted);
  // printf SK1:token | base64
  EXPECT_EQ(net::find_header(carrier.last.headers, "Authorization"), "Basic U0sxOnRva2Vu");
  EXPECT_TRUE(
      carrier.last.body.starts_with("To=whatsapp%3A%2B14155552671&MessagingServiceSid=MG1&"))
      << carrier.last.body;
  EXPECT_TRUE(
      carrier.last.body.ends_with("&ValidityPeriod=1&StatusCallback=https%3A%2F%2Fotp.example.com%"
                                  "2Fcallbacks%2Ftwilio%3Fa%3Db"))
      << carrier.last.body;
  message.valid_for = std::chrono::hours(24);
  EXPECT_EQ(send(*provider, message).kind, Kind::accepted);
  EXPECT_NE(carrier.last.body.find("&ValidityPeriod=36000"), std::string::npos);

  config = twilio_config(carrier.url());
  provider = make_twilio(std::move(config), client, clock).value();
  EXPECT_EQ(send(*provider, message).kind, Kind::accepted);
  EXPECT_NE(carrier.last.body.find("&From=whatsapp%3A%2B15005550006&"), std::string::npos);
}

TEST_F(ProviderTest, TwilioClassifiesRealAnswers) {
  auto provider = make_twilio(twilio_config(carrier.url()), client, clock).value();
  const auto message = typical_message("sms", "+14155552671");
  carrier.answer = {.status = 429, .body = "{}", .headers = {{"Retry-After", "7"}}};
  const auto throttled = send(*provider, message);
  EXPECT_EQ(throttled.kind, Kind::throttled);
  EXPECT_EQ(throttled.retry_after, Seconds(7));
  carrier.answer = {.status = 302, .body = "", .headers = {{"Location", carrier.url() + "/x"}}};
  const auto redirected = send(*provider, message);
  EXPECT_EQ(redirected.kind, Kind::transient);
  EXPECT_EQ(redirected.reason, "http 302");
  EXPECT_NE(carrier.last.path, "/x");
  carrier.answer = {.status = 201, .body = std::string(100'000, ' '), .headers = {}};
  EXPECT_EQ(send(*provider, message).reason, "unusable answer");
}

TEST_F(ProviderTest, NoAnswerIsTransient) {
  auto provider = make_twilio(twilio_config(carrier.url()), client, clock).value();
  const auto message = typical_message("sms", "+14155552671");
  carrier.silent = true;
  const auto late = send(*provider, message, Millis(100));
  EXPECT_EQ(late.kind, Kind::transient);
  EXPECT_EQ(late.reason, "timeout");
  provider = make_twilio(twilio_config("http://127.0.0.1:1"), client, clock).value();
  const auto closed = send(*provider, message);
  EXPECT_EQ(closed.kind, Kind::transient);
  EXPECT_EQ(closed.reason, "no connection");
}

TEST_F(ProviderTest, EachTakesOnlyItsChannels) {
  auto twilio = make_twilio(twilio_config(carrier.url()), client, clock).value();
  const SmtpSink sink({});
  auto smtp = make_smtp(smtp_config(sink.url()), client, clock).value();
  for (const char* channel : {"fax", "email", ""}) {
    const auto outcome = send(*twilio, typical_message(channel, "+14155552671"));
    EXPECT_EQ(outcome.kind, Kind::misconfigured);
    EXPECT_EQ(outcome.reason, "channel");
  }
  EXPECT_EQ(send(*smtp, typical_message("sms", "+14155552671")).reason, "channel");
  EXPECT_TRUE(carrier.last.path.empty());
  EXPECT_TRUE(sink.commands().empty());
}

TEST_F(ProviderTest, SmtpDeliversTheWholeMail) {
  const SmtpSink sink({});
  SmtpConfig config = smtp_config(sink.url());
  config.user = "otpd";
  config.password = Secret(std::string("secret"));
  auto provider = make_smtp(std::move(config), client, clock).value();
  const auto outcome = send(*provider, typical_message("email", "alice@example.org"));
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "4XyZ12");
  ASSERT_EQ(sink.messages().size(), 1U);
  const std::string mail = sink.messages()[0];
  EXPECT_TRUE(
      mail.starts_with("From: \"Example Bank\"\r\n"
                       " <no-reply@example.com>\r\n"
                       "To: <alice@example.org>\r\n"
                       "Subject: =?UTF-8?Q?Ihr_Code_f=C3=BCr_B=C3=A4nk?=\r\n"
                       "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
                       "Message-ID: <0123abcd@example.com>\r\n"
                       "Auto-Submitted: auto-generated\r\n"
                       "MIME-Version: 1.0\r\n"
                       "Content-Type: multipart/alternative;\r\n"
                       " boundary=\"=_0123abcd\"\r\n"
                       "\r\n"
                       "--=_0123abcd\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n"
                       "\r\n"
                       "481623 =C3=A8 il codice & pi=C3=B9.\r\n"
                       "@login.example.com #481623\r\n"
                       "--=_0123abcd\r\n"
                       "Content-Type: text/html; charset=utf-8\r\n"))
      << mail;
  EXPECT_NE(mail.find("=C3=A8 il codice &amp; pi=C3=B9.<br>\r\n"), std::string::npos) << mail;
  EXPECT_TRUE(mail.ends_with("--=_0123abcd--\r\n")) << mail;
  const auto said = [commands = sink.commands()](std::string_view start) {
    return std::ranges::any_of(commands, [&](const auto& line) { return line.starts_with(start); });
  };
  EXPECT_TRUE(said("MAIL FROM:<no-reply@example.com>"));
  EXPECT_TRUE(said("RCPT TO:<alice@example.org>"));
  EXPECT_TRUE(said("AUTH PLAIN"));
}

TEST_F(ProviderTest, SmtpClassifiesRealRefusals) {
  const struct {
    std::string verb, reply;
    Kind kind;
    std::string_view reason;
  } cases[] = {
      {"RCPT", "550 5.1.1 no such user", Kind::rejected, "smtp 550"},
      {"RCPT", "451 4.3.0 try later", Kind::transient, "smtp 451"},
      {"MAIL", "550 5.7.1 bad sender", Kind::transient, "smtp 550"},
      {"AUTH", "535 5.7.8 bad credentials", Kind::misconfigured, "smtp 535"},
      {".", "554 5.6.0 no", Kind::transient, "smtp 554"},
      {".", "452 4.2.2 full", Kind::transient, "smtp 452"},
  };
  for (const auto& c : cases) {
    const SmtpSink sink({{c.verb, c.reply}});
    SmtpConfig config = smtp_config(sink.url());
    config.user = "otpd";
    config.password = Secret(std::string("secret"));
    auto provider = make_smtp(std::move(config), client, clock).value();
    const auto outcome = send(*provider, typical_message("email", "alice@example.org"));
    EXPECT_EQ(outcome.kind, c.kind) << c.reply;
    EXPECT_EQ(outcome.reason, c.reason) << c.reply;
  }
}

TEST_F(ProviderTest, SmtpSaysNothingSecretWithoutTls) {
  const SmtpSink sink({});
  SmtpConfig config = smtp_config(sink.url());
  config.require_tls = true;
  config.user = "otpd";
  config.password = Secret(std::string("secret"));
  auto provider = make_smtp(std::move(config), client, clock).value();
  const auto outcome = send(*provider, typical_message("email", "alice@example.org"));
  EXPECT_EQ(outcome.kind, Kind::transient);
  EXPECT_TRUE(sink.messages().empty());
  for (const std::string& line : sink.commands()) {
    EXPECT_FALSE(line.starts_with("AUTH") || line.starts_with("RCPT")) << line;
  }
}

TEST_F(ProviderTest, SmtpRefusesAnAddressThatIsNone) {
  const SmtpSink sink({});
  auto provider = make_smtp(smtp_config(sink.url()), client, clock).value();
  for (const char* to : {"alice@example.org\r\nRCPT TO:<eve@example.com>", "alice", "a b@c",
                         "alice@example.org>", ""}) {
    const auto outcome = send(*provider, typical_message("email", to));
    EXPECT_EQ(outcome.kind, Kind::rejected);
    EXPECT_EQ(outcome.reason, "address");
  }
  auto message = typical_message("email", "alice@example.org");
  message.subject = "x\r\nBcc: eve@example.com";
  EXPECT_EQ(send(*provider, message).kind, Kind::misconfigured);
  EXPECT_TRUE(sink.commands().empty());
}

TEST_F(ProviderTest, RefusesImpossibleSettings) {
  const auto twilio_error = [&](auto change) {
    TwilioConfig config = twilio_config("https://api.twilio.com");
    change(config);
    const auto made = make_twilio(std::move(config), client, clock);
    return made ? std::string("made") : made.error().message;
  };
  EXPECT_EQ(twilio_error([](TwilioConfig&) {}), "made");
  EXPECT_EQ(twilio_error([](TwilioConfig& c) { c.base_url = "ftp://x"; }),
            "twilio: base_url: not an http or https URL");
  EXPECT_EQ(twilio_error([](TwilioConfig& c) { c.account_sid = "../AC1"; }),
            "twilio: account_sid: no sid");
  EXPECT_EQ(twilio_error([](TwilioConfig& c) { c.auth_token = Secret(); }),
            "twilio: auth_token: missing");
  const std::string one_sender = "twilio: give one of from and messaging_service_sid";
  EXPECT_EQ(twilio_error([](TwilioConfig& c) { c.from.clear(); }), one_sender);
  EXPECT_EQ(twilio_error([](TwilioConfig& c) { c.messaging_service_sid = "MG1"; }), one_sender);

  const auto smtp_error = [&](auto change) {
    SmtpConfig config = smtp_config("smtp://127.0.0.1:25");
    change(config);
    const auto made = make_smtp(std::move(config), client, clock);
    return made ? std::string("made") : made.error().message;
  };
  EXPECT_EQ(smtp_error([](SmtpConfig&) {}), "made");
  EXPECT_EQ(smtp_error([](SmtpConfig& c) { c.url = "http://x"; }),
            "smtp: url: not an smtp or smtps URL");
  EXPECT_EQ(smtp_error([](SmtpConfig& c) { c.user = "otpd"; }),
            "smtp: give both of user and password, or neither");
  EXPECT_EQ(smtp_error([](SmtpConfig& c) { c.from_address = "otpd"; }),
            "smtp: mail: from cannot stand in a header");
  EXPECT_EQ(smtp_error([](SmtpConfig& c) { c.from_name = "a\nb"; }),
            "smtp: mail: from_name cannot stand in a header");
}

TEST_F(ProviderTest, LogPrintsTheWholeMessageAndWarnsAboutIt) {
  ::testing::internal::CaptureStderr();
  log::start(log::Level::info);
  auto provider = make_log();
  const auto outcome = send(*provider, typical_message("sms", "+14155552671"));
  log::stop();
  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "0123abcd");
  EXPECT_NE(printed.find("for development only"), std::string::npos) << printed;
  EXPECT_NE(printed.find("\"to\":\"+14155552671\""), std::string::npos) << printed;
  EXPECT_NE(printed.find("\\n@login.example.com #481623\""), std::string::npos) << printed;
}

}  // namespace
}  // namespace otpd::providers
