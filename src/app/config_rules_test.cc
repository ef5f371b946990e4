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

TEST(ConfigRules, AnOpenAddressWithoutAKeyIsSaid) {
  const std::string open = "--server.listen=0.0.0.0:8080";
  const auto said = [&](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {open, "--server.trusted_proxies=10.0.0.1",
                                 "--server.public_url=https://otp.example"});
    return load_flags(std::move(flags)).value().warnings;
  };
  EXPECT_THAT(said({}), testing::ElementsAre(HasSubstr("may call only with an API key")));
  EXPECT_THAT(said({"--auth.public=true"}), testing::IsEmpty());
  EXPECT_THAT(said({"--auth.api_keys=" + k_rules_key}), testing::IsEmpty());
}

TEST(ConfigRules, AConfiguredKeyIsOfAnApplicationThatThereIs) {
  EXPECT_EQ(errors(load_flags({"--auth.api_keys=default/" + k_rules_key})), "fine");
  EXPECT_THAT(errors(load_flags({"--auth.api_keys=bank/" + k_rules_key})),
              HasSubstr("holds a key of bank, which is no application"));
  const std::string other = "shop:" + std::string(64, 'b');
  EXPECT_EQ(errors(load_flags({"--auth.api_keys=bank/" + k_rules_key + "," + other,
                               "--applications.bank.limits.ip_sends=7"})),
            "fine");
}

TEST(ConfigRules, AConfiguredKeyHasOneName) {
  EXPECT_THAT(errors(load_flags({"--auth.api_keys=" + k_rules_key + ",bank/" + k_rules_key,
                                 "--applications.bank.limits.ip_sends=7"})),
              HasSubstr("holds one key under the names shop and bank/shop"));
  EXPECT_THAT(errors(load_flags({"--auth.api_keys=" + k_rules_key + ",my-" + k_rules_key})),
              HasSubstr("holds one key under the names shop and my-shop"));
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

TEST(ConfigRules, AClusterNeedsItsServers) {
  const std::string cluster = "--server.mode=cluster";
  const std::string url = "--postgres.url=postgresql://otpd@127.0.0.1/otpd";
  EXPECT_EQ(errors(load_flags({cluster, url})), "fine");
  EXPECT_THAT(errors(load_flags({cluster})), HasSubstr("a cluster keeps its audit log there"));
  EXPECT_THAT(errors(load_flags({cluster, url, "--redis.nodes="})),
              HasSubstr("a cluster keeps its state there"));
  const std::string several = "--redis.nodes=127.0.0.1:7000,127.0.0.1:7001";
  EXPECT_THAT(errors(load_flags({cluster, url, several})), HasSubstr("redis.cluster is false"));
  EXPECT_EQ(errors(load_flags({cluster, url, several, "--redis.cluster=true"})), "fine");
  EXPECT_THAT(errors(load_flags({cluster, url, "--data.backend=memory"})),
              HasSubstr("is for an embedded otpd"));
  EXPECT_THAT(errors(load_flags({"--server.role=worker"})),
              HasSubstr("is for server.mode = \"cluster\""));
  EXPECT_THAT(
      errors(load_flags({cluster, url, "--server.role=worker", "--testing.virtual_clock=true"})),
      HasSubstr("is for one process that does everything"));
  EXPECT_THAT(load_flags({cluster, url}).value().warnings,
              testing::Contains(HasSubstr("the same key ring")));
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
      {"providers.twilio.api_key_secret = \"x\"", "api_key_sid and api_key_secret go together"},
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
  EXPECT_THAT(errors(load(with("smtp://mail.example:25") + "providers.mail.require_tls = false")),
              HasSubstr("the password could travel in the clear"));
  EXPECT_EQ(errors(load(with("smtps://mail.example:465"))), "fine");
  EXPECT_EQ(errors(load(with("smtp://127.0.0.1:25"))), "fine");
  EXPECT_EQ(errors(load(with("smtp://mail.example:25") + "providers.mail.require_tls = true")),
            "fine");
}

TEST(ConfigRules, AUserAsksForTlsUnlessToldOtherwise) {
  const std::string login = "providers.mail.user = \"u\"\nproviders.mail.password = \"p\"\n";
  const auto requires_tls = [](const std::string& file) {
    const auto loaded = load(file);
    return loaded ? std::string(loaded->config.providers.at("mail").smtp.require_tls ? "yes" : "no")
                  : errors(loaded);
  };
  EXPECT_EQ(requires_tls(""), "no");
  EXPECT_EQ(requires_tls(login), "yes");
  EXPECT_EQ(requires_tls(login + "providers.mail.url = \"smtp://mail.example:587\""), "yes");
  EXPECT_EQ(requires_tls(login + "providers.mail.url = \"smtps://mail.example:465\""), "no");
  EXPECT_EQ(requires_tls(login + "providers.mail.require_tls = false"), "no");
  EXPECT_THAT(requires_tls(login + "providers.mail.require_tls = false\n"
                                   "providers.mail.url = \"smtp://mail.example:587\""),
              HasSubstr("the password could travel in the clear"));
  EXPECT_EQ(origin_of(*load(login), "providers.mail.require_tls").kind, Origin::Kind::derived);
}

const std::string k_rules_vonage =
    "[providers.v]\nkind = \"vonage\"\napi_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n";
const std::string k_rules_http =
    "[providers.h]\nkind = \"http\"\nurl = \"https://a.example/{to}\"\nbody = \"{text}\"\n";

TEST(ConfigRules, EveryKindSaysWhatItNeeds) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> needs{
      {"vonage", {"api_key", "api_secret", "from"}},
      {"sns", {"region", "access_key_id", "secret_access_key"}},
      {"whatsapp", {"phone_number_id", "access_token", "template"}},
      {"http", {"url"}},
      {"webhook", {"url", "secrets"}},
      {"log", {}},
  };
  for (const auto& [kind, keys] : needs) {
    const auto loaded = load("providers.p.kind = \"" + kind + "\"");
    std::vector<std::string> missing;
    if (!loaded) {
      for (const auto& problem : loaded.error()) {
        EXPECT_TRUE(problem.text.starts_with("is needed: ")) << problem.text;
        missing.push_back(problem.key.substr(std::string("providers.p.").size()));
      }
    }
    EXPECT_THAT(missing, testing::UnorderedElementsAreArray(keys)) << kind;
  }
  EXPECT_EQ(errors(load(k_rules_vonage)), "fine");
  EXPECT_EQ(errors(load(k_rules_http)), "fine");
  EXPECT_EQ(errors(load("[providers.w]\nkind = \"webhook\"\nurl = \"https://a.example/x\"\nsecrets "
                        "= \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n")),
            "fine");
}

TEST(ConfigRules, ProvidersCarryTheirChannels) {
  const auto routed = [](const std::string& channel, const std::string& name) {
    return errors(load(k_rules_vonage + k_rules_http + "[delivery.routes]\n" + channel + " = [\"" +
                       name + "\"]\n"));
  };
  EXPECT_EQ(routed("sms", "v"), "fine");
  EXPECT_THAT(routed("voice", "v"), HasSubstr("a provider of kind vonage cannot carry"));
  EXPECT_THAT(routed("email", "v"), HasSubstr("a provider of kind vonage cannot carry"));
  for (const char* channel : {"sms", "voice", "whatsapp", "email"}) {
    EXPECT_EQ(routed(channel, "h"), "fine");
  }
}

TEST(ConfigRules, ADescribedCarrierIsCheckedBeforeTheStart) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"headers = [\"X-A: {nothing}\"]", "http: headers: there is no placeholder {nothing}"},
      {"success = []", "http: success: missing"},
      {"success = [\"/a=b\"]", "must be a list of statuses"},
      {"rejected = [\"4\"]", "must be a list of statuses (404)"},
      {"id_pointer = \"id\"", "must be a JSON pointer"},
      {"receipt_proof = \"header\"", "http: receipts: no header for the proof"},
      {"user = \"u\"", "user and password go together"},
      {"method = \"DELETE\"", "must be GET, POST, PUT or PATCH"},
      {"headers = [\"X A: b\"]", "must be a list of lines such as"},
      {"headers = [\"content-type: b\"]", "must be a list of lines such as"},
  };
  for (const auto& [line, expected] : cases) {
    EXPECT_THAT(errors(load(k_rules_http + line + "\n")), HasSubstr(expected)) << line;
  }
  EXPECT_THAT(errors(load("[providers.h]\nkind = \"http\"\nurl = \"https://a.example/{too}\"\n")),
              HasSubstr("there is no placeholder {too}"));
}

TEST(ConfigRules, SecretsDoNotTravelInTheClear) {
  for (const std::string& file :
       {std::string(
            "providers.twilio.base_url = \"http://a.example\"\nproviders.twilio.auth_token = "
            "\"x\"\n"),
        k_rules_vonage + "base_url = \"http://a.example\"\n",
        std::string("[providers.h]\nkind = \"http\"\nurl = \"http://a.example/\"\n")}) {
    const auto loaded = load(file);
    ASSERT_TRUE(loaded) << errors(loaded);
    EXPECT_THAT(loaded->warnings, testing::ElementsAre(HasSubstr("is not https"))) << file;
  }
}

TEST(ConfigRules, AProvidersOwnTimeoutIsShorterThanTheLease) {
  EXPECT_EQ(errors(load("providers.twilio.timeout_ms = 29999")), "fine");
  EXPECT_THAT(errors(load("providers.twilio.timeout_ms = 30000")),
              HasSubstr("must be shorter than delivery.lease_s (30)"));
  EXPECT_EQ(load("providers.twilio.timeout_ms = 5")->config.providers.at("twilio").timeout,
            Millis(5));
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

TEST(ConfigRules, FrictionLooksNoFurtherBackThanTheLimitsRemember) {
  EXPECT_EQ(errors(load("friction.window_s = 3600")), "fine");
  EXPECT_THAT(errors(load("friction.window_s = 3601")),
              HasSubstr("is longer than limits.recipient_window_s"));
  EXPECT_THAT(errors(load("limits.ip_window_s = 599")),
              HasSubstr("is longer than limits.ip_window_s"));
  EXPECT_THAT(errors(load("friction.recipient_sends = 0")), HasSubstr("from 1 to 10000"));
}

TEST(ConfigRules, AVendorOfCaptchasNeedsBothKeysAndAnHonestWay) {
  const auto hosted = [](const std::string& more) {
    return errors(load("[friction]\ncaptcha = \"turnstile\"\n" + more));
  };
  const std::string keys = "captcha_site_key = \"0x4\"\ncaptcha_secret = \"s\"\n";
  EXPECT_EQ(hosted(keys), "fine");
  EXPECT_THAT(hosted("captcha_secret = \"s\""), HasSubstr("friction.captcha_site_key"));
  EXPECT_THAT(hosted("captcha_site_key = \"0x4\""), HasSubstr("friction.captcha_secret"));
  EXPECT_THAT(hosted(keys + "captcha_site_key_ = \"x\""), HasSubstr("captcha_site_key_"));
  EXPECT_EQ(hosted(keys + "captcha_verify_url = \"http://127.0.0.1:9/x\""), "fine");
  EXPECT_THAT(hosted(keys + "captcha_verify_url = \"http://vendor.example/x\""),
              HasSubstr("must be https"));
  EXPECT_THAT(hosted(keys + "captcha_min_score = 0"), HasSubstr("from 1 to 100"));
  EXPECT_THAT(errors(load("friction.captcha_site_key = \"a\\\"b\"")), HasSubstr("letters"));
  const auto loaded = load("server.public_url = \"https://otp.example/x\"");
  EXPECT_EQ(loaded->config.friction.captcha_hosts, std::vector<std::string>{"otp.example"});
}

TEST(ConfigRules, ASessionIsNotIdleForLongerThanItLives) {
  EXPECT_EQ(errors(load("[session]\nlifetime_s = 600\nidle_lifetime_s = 600")), "fine");
  EXPECT_THAT(errors(load("[session]\nlifetime_s = 600\nidle_lifetime_s = 601")),
              HasSubstr("session.idle_lifetime_s"));
  EXPECT_THAT(errors(load("session.lifetime_s = 600")), HasSubstr("is longer than"));
  EXPECT_THAT(errors(load("session.idle_lifetime_s = 0")), HasSubstr("from 60 to"));
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

TEST(ConfigRules, OthersJudgeTemplates) {
  ConfigChecks checks;
  checks.message_template = [](auto, auto, auto locale, auto text) -> std::optional<std::string> {
    if (text.contains("{code}")) return {};
    return "has no {code} in " + std::string(locale);
  };
  const auto text = errors(load("messages.templates.login.sms.en = \"hello\"", {}, {}, checks));
  EXPECT_THAT(text, HasSubstr(":1:35  messages.templates.login.sms.en = \"hello\"\n      has no "
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
