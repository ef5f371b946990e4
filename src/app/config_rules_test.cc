#include "app/config_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::load;
using config_testing::load_flags;
using testing::HasSubstr;
using testing::Not;

const std::string k_rules_key = "shop:" + std::string(64, 'a');

TEST(ConfigRules, AnOpenAddressNeedsSomebodyWhoMayCall) {
  const std::string open = "--server.listen=0.0.0.0:8080";
  EXPECT_THAT(
      errors(load_flags({open})),
      HasSubstr("flag --server.listen  server.listen = \"0.0.0.0:8080\"\n      is reachable "
                "from other machines, but nobody may call: put a key into auth.api_keys"));
  EXPECT_EQ(errors(load_flags({open, "--auth.public=true"})), "fine");
  EXPECT_EQ(errors(load_flags({open, "--auth.api_keys=" + k_rules_key})), "fine");
  EXPECT_EQ(errors(load_flags({"--server.listen=[::1]:9"})), "fine");
  // A key that is wrong is one mistake, not two.
  EXPECT_THAT(errors(load_flags({open, "--auth.api_keys=shop"})),
              Not(HasSubstr("nobody may call")));
}

TEST(ConfigRules, TheDemoIsServedOnLoopbackOrOnDemand) {
  const auto enabled = [](std::vector<std::string> flags) {
    flags.emplace_back("--auth.public=true");
    return load_flags(std::move(flags)).value().config.demo.enabled;
  };
  EXPECT_TRUE(enabled({}));
  EXPECT_FALSE(enabled({"--demo.enabled=false"}));
  EXPECT_FALSE(enabled({"--server.listen=0.0.0.0:1"}));
  EXPECT_TRUE(enabled({"--server.listen=0.0.0.0:1", "--demo.enabled=true"}));
  EXPECT_TRUE(load("demo.enabled = true").value().config.demo.enabled);
}

TEST(ConfigRules, TheVirtualClockIsForLoopback) {
  EXPECT_EQ(errors(load_flags({"--testing.virtual_clock=true"})), "fine");
  EXPECT_THAT(errors(load_flags({"--testing.virtual_clock=true", "--server.listen=[::]:1",
                                 "--auth.public=true"})),
              HasSubstr("testing.virtual_clock = true\n      is for a loopback address only"));
}

TEST(ConfigRules, PairsGoTogether) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"server.tls_key = \"k\"", "server.tls_key = \"k\"\n      needs server.tls_certificate"},
      {"server.tls_certificate = \"c\"", "needs server.tls_key"},
      {"crypto.keys = \"{}\"\ncrypto.key_file = \"k\"",
       "crypto.keys = \"********\"\n      excludes crypto.key_file"},
      {"providers.mail.user = \"u\"", "user and password go together"},
      {"providers.mail.password = \"p\"",
       "providers.mail.password = \"********\"\n      user and password go together"},
      {"providers.twilio.from = \"\"", "a sender is needed"},
      {"providers.twilio.auth_token = \"\"", "must be a line"},
      {"delivery.retry_max_ms = 100", "must not be less than delivery.retry_base_ms (500)"},
      {"delivery.lease_s = 8", "must be longer than delivery.provider_timeout_ms (8000)"},
      {"auth.api_keys = [\"" + k_rules_key + "\", \"" + k_rules_key + "\"]", "shop twice"},
  };
  for (const auto& [file, expected] : cases) {
    EXPECT_THAT(errors(load(file)), HasSubstr(expected)) << file;
  }
  EXPECT_EQ(errors(load("delivery.lease_s = 9")), "fine");
  EXPECT_EQ(errors(load("server.tls_key = \"k\"\nserver.tls_certificate = \"c\"")), "fine");
  EXPECT_EQ(errors(load("providers.twilio.from = \"\"\nproviders.twilio.messaging_service_sid = "
                        "\"MG00000000000000000000000000000000\"")),
            "fine");
}

TEST(ConfigRules, KeysInTheEnvironmentNeedNoFile) {
  const auto loaded = load_config(
      {.file = {}, .environment = {{"OTPD_CRYPTO_KEYS", "{}"}}, .flags = {}, .checks = {}});
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.crypto.keys.reveal(), "{}");
  EXPECT_EQ(loaded->config.crypto.key_file, "");
}

TEST(ConfigRules, RoutesLeadToProvidersThatCanCarryThem) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"delivery.routes.sms = [\"twillio\"]",
       "there is no [providers.twillio]; did you mean twilio?"},
      {"delivery.routes.sms = [\"mail\"]", "a provider of kind smtp cannot carry this channel"},
      {"delivery.routes.email = [\"twilio\"]",
       "a provider of kind twilio cannot carry this channel"},
      {"delivery.routes.sms = [\"twilio\", \"twilio\"]", "must name a provider once only"},
      {"delivery.routes.sms = [\"twilio:70\", \"dev\"]\nproviders.dev.kind = \"log\"",
       "must give a weight to every provider or to none"},
      {"delivery.routes.sms = [\"twilio:0\"]", "must be a list of names of providers"},
      {"delivery.routes.sms = [\"twilio\", \"dev\"]\nproviders.dev.kind = \"log\"\n"
       "delivery.lease_s = 16",
       "a message would be sent twice"},
      {"prefix_routes.de.lanes = [\"twilio\"]", "must not be empty"},
      {"prefix_routes.de.prefixes = [\"49\"]", "must be a list of beginnings of numbers"},
      {"fallback.sms = \"voice\"", "names a channel that has no route"},
  };
  for (const auto& [file, expected] : cases) {
    EXPECT_THAT(errors(load(file)), HasSubstr(expected)) << file;
  }
  EXPECT_EQ(errors(load("delivery.routes.sms = []\ndelivery.routes.voice = [\"twilio\"]")), "fine");
  EXPECT_EQ(
      errors(load("prefix_routes.de.lanes = [\"twilio\"]\nprefix_routes.de.prefixes = [\"+49\"]"
                  "\nfallback.sms = \"voice\"\ndelivery.routes.voice = [\"twilio\"]")),
      "fine");
  const auto log = load("providers.dev.kind = \"log\"\ndelivery.routes.sms = [\"dev\"]");
  ASSERT_TRUE(log) << errors(log);
  EXPECT_THAT(log->warnings, testing::ElementsAre(HasSubstr("codes are printed")));
}

TEST(ConfigRules, APasswordDoesNotTravelInTheClear) {
  const std::string login = "providers.mail.user = \"u\"\nproviders.mail.password = \"p\"\n";
  const auto with = [&](const std::string& url) {
    return login + "providers.mail.url = \"" + url + "\"\n";
  };
  EXPECT_THAT(errors(load(with("smtp://mail.example:25"))),
              HasSubstr("the password could travel in the clear"));
  EXPECT_EQ(errors(load(with("smtps://mail.example:465"))), "fine");
  EXPECT_EQ(errors(load(with("smtp://127.0.0.1:25"))), "fine");
  EXPECT_EQ(errors(load(with("smtp://mail.example:25") + "providers.mail.require_tls = true")),
            "fine");
}

TEST(ConfigRules, WhatIsDerivedFollowsItsSource) {
  const auto loaded =
      load_flags({"--server.public_url=https://otp.example/x", "--data.dir=/var/lib/otpd",
                  "--purposes.kyc.lifetime_s=60", "--purposes.kyc.link=true"});
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.messages.webotp_host, "otp.example");
  EXPECT_EQ(loaded->config.crypto.key_file, "/var/lib/otpd/keys.json");
  EXPECT_EQ(loaded->config.auth.admin_token_file, "/var/lib/otpd/admin.token");
  EXPECT_EQ(loaded->config.purposes.at("kyc").link_url, "https://otp.example/x/demo#token={token}");
  const auto tls = load_flags({"--server.tls_certificate=c", "--server.tls_key=k",
                               "--server.listen=[::1]:443", "--messages.webotp_host=a.example"});
  ASSERT_TRUE(tls) << errors(tls);
  EXPECT_EQ(tls->config.server.public_url, "https://[::1]:443");
  EXPECT_EQ(tls->config.messages.webotp_host, "a.example");
}

TEST(ConfigRules, TemplatesBelongToAPurposeAChannelAndALocale) {
  const auto file = [](const std::string& path) {
    return errors(load("messages.templates." + path + " = \"{code}\""));
  };
  EXPECT_EQ(file("login.sms.pt-BR"), "fine");
  EXPECT_THAT(file("logn.sms.en"), HasSubstr("there is no [purposes.logn]; did you mean login?"));
  EXPECT_THAT(file("login.fax.en"), HasSubstr("the channel must be sms, voice, whatsapp or email"));
  EXPECT_THAT(file("login.sms.english"), HasSubstr("the locale must be a language tag"));
}

TEST(ConfigRules, OthersJudgeTemplatesAndRegions) {
  ConfigChecks checks;
  checks.message_template = [](auto, auto, auto locale, auto text) -> std::optional<std::string> {
    if (text.contains("{code}")) return {};
    return "has no {code} in " + std::string(locale);
  };
  checks.region = [](std::string_view region) { return region == "US"; };
  EXPECT_EQ(errors(load("otp.default_region = \"US\"", {}, {}, checks)), "fine");
  const auto text =
      errors(load("otp.default_region = \"ZZ\"\nmessages.templates.login.sms.en = "
                  "\"hello\"",
                  {}, {}, checks));
  EXPECT_THAT(text, HasSubstr("otp.default_region = \"ZZ\"\n      is no country"));
  EXPECT_THAT(text, HasSubstr(":2:35  messages.templates.login.sms.en = \"hello\"\n      has no "
                              "{code} in en"));
}

TEST(ConfigRules, WhatIsUnwiseIsSaid) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--crypto.hash=hmac"}, "crypto.hash is hmac"},
      {{"--crypto.argon2_passes=4"}, "below OWASP's minima"},
      {{"--server.listen=0.0.0.0:1", "--auth.public=true", "--server.trusted_proxies=10.0.0.1"},
       "links in messages lead nowhere"},
      {{"--server.public_url=http://otp.example"}, "server.public_url is not https"},
      {{"--providers.twilio.base_url=https://api.twilio.com"}, "auth_token is the simulator's"},
      {{"--providers.mail.url=smtp://mail.example:25"}, "does not insist on TLS"},
  };
  for (const auto& [flags, expected] : cases) {
    const auto loaded = load_flags(flags);
    ASSERT_TRUE(loaded) << errors(loaded);
    EXPECT_THAT(loaded->warnings, testing::ElementsAre(HasSubstr(expected))) << flags[0];
  }
  EXPECT_TRUE(load_flags({"--crypto.argon2_memory_kib=19456", "--crypto.argon2_passes=2"})
                  .value()
                  .warnings.empty());
}

}  // namespace
}  // namespace otpd::app
