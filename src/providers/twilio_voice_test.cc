#include "providers/twilio_voice.h"

#include <gtest/gtest.h>

#include "net/form.h"
#include "providers/test_carrier.h"
#include "providers/twilio.h"
#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

TwilioConfig voice_config(const std::string& url) {
  TwilioConfig config;
  config.base_url = url;
  config.account_sid = "AC1";
  config.auth_token = Secret(std::string("token"));
  config.from = "+15005550006";
  return config;
}

TEST(TwilioVoice, SaysTheTextOnlyAfterTheKey) {
  EXPECT_EQ(make_twiml("en", "Your code is: 4, 8, 1.").reveal(),
            "<Response><Gather numDigits=\"1\" finishOnKey=\"1\" timeout=\"90\"><Say "
            "language=\"en-US\">To hear your code, press 1.</Say></Gather><Say "
            "language=\"en-US\">Your code is: 4, 8, 1.</Say><Hangup/></Response>");
}

TEST(TwilioVoice, SpeaksTheLanguageOfTheLocale) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "en-US"},      {"en", "en-US"}, {"en-GB", "en-GB"}, {"de", "de-DE"}, {"de-CH", "de-DE"},
      {"fr-CA", "fr-CA"}, {"fr", "fr-FR"}, {"es-AR", "es-ES"}, {"pt", "pt-BR"}, {"pt-PT", "pt-PT"},
      {"it", "it-IT"},    {"ja", "en-US"}, {"e\"><x", "en-US"}};
  for (const auto& [locale, language] : cases) {
    const Secret twiml = make_twiml(locale, "x");
    const std::string want = "<Say language=\"" + language + "\">";
    EXPECT_NE(twiml.reveal().find(want + "x</Say>"), std::string::npos) << twiml.reveal();
    EXPECT_NE(twiml.reveal().find("timeout=\"90\">" + want), std::string::npos) << locale;
  }
}

TEST(TwilioVoice, NoTextBecomesAVerb) {
  const Secret twiml = make_twiml("en", "A&B</Say><Dial>+1</Dial>\"'\x01");
  EXPECT_NE(twiml.reveal().find(
                ">A&amp;B&lt;/Say&gt;&lt;Dial&gt;+1&lt;/Dial&gt;&quot;&#39; </Say><Hangup/>"),
            std::string::npos)
      << twiml.reveal();
}

TEST(XmlText, ReadsTheOnlyElementOfAName) {
  const auto id = [](std::string_view document) {
    return std::string(xml_element(document, "Id", 8));
  };
  EXPECT_EQ(id("<R><Id>a-1</Id></R>"), "a-1");
  EXPECT_EQ(id("<Id>12345678</Id>"), "12345678");
  for (const char* bad :
       {"", "<R/>", "<Id>", "<Id>a", "<Id>a</R>", "<Id>a<b/></Id>", "<Id>a</Id><Id>b</Id>",
        "<Id>a&amp;b</Id>", "<Id>123456789</Id>", "<Id x=\"1\">a</Id>", "<id>a</id>"}) {
    EXPECT_EQ(id(bad), "") << bad;
  }
}

TEST_F(ProviderTest, TwilioCallsWithTheDocumentItself) {
  auto provider = make_twilio(voice_config(carrier.url()), client, clock).value();
  carrier.answer.body = R"({"sid":"CA1"})";
  auto message = typical_message("voice", "+14155552671");
  message.text = Secret(std::string("4, 8 & 1"));
  message.locale = "de";
  message.callback_url = "https://otp.example.com/c?a=b";
  const auto outcome = send(*provider, message);
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "CA1");
  EXPECT_EQ(carrier.last.path, "/2010-04-01/Accounts/AC1/Calls.json");
  EXPECT_EQ(carrier.last.body,
            std::string(net::form_encode({{"To", "+14155552671"},
                                          {"From", "+15005550006"},
                                          {"Twiml", make_twiml("de", "4, 8 & 1").reveal()},
                                          {"TimeLimit", "90"},
                                          {"StatusCallback", "https://otp.example.com/c?a=b"}})
                            .reveal()));
}

TEST_F(ProviderTest, TwilioCallsNeedANumberToCallFrom) {
  TwilioConfig config = voice_config(carrier.url());
  config.from.clear();
  config.messaging_service_sid = "MG1";
  auto provider = make_twilio(std::move(config), client, clock).value();
  const auto outcome = send(*provider, typical_message("voice", "+14155552671"));
  EXPECT_EQ(outcome.kind, Kind::misconfigured);
  EXPECT_EQ(outcome.reason, "from");
  EXPECT_TRUE(carrier.last.path.empty());
}

}  // namespace
}  // namespace otpd::providers
