#include "app/config_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/config_show.h"
#include "app/config_testing.h"
#include "base/random.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::everything;
using config_testing::load;
using config_testing::load_flags;
using config_testing::TemporaryFile;
using testing::HasSubstr;
using testing::Not;

const std::string k_load_hash(64, 'a');

TEST(ConfigLoad, NothingGivesTheDefaultsWithWhatIsDerived) {
  const auto loaded = load_config({});
  ASSERT_TRUE(loaded) << errors(loaded);
  const auto& config = loaded->config;
  EXPECT_EQ(config.server.listen, (Endpoint{"127.0.0.1", 8080}));
  EXPECT_EQ(config.server.public_url, "http://127.0.0.1:8080");
  EXPECT_EQ(config.crypto.key_file, "./data/keys.json");
  EXPECT_EQ(config.auth.admin_token_file, "./data/admin.token");
  EXPECT_EQ(config.messages.webotp_host, "127.0.0.1");
  EXPECT_EQ(config.purposes.at("password_reset").link_url,
            "http://127.0.0.1:8080/demo#token={token}");
  EXPECT_EQ(config.purposes.at("login").link_url, "");
  EXPECT_EQ(config.purposes.at("login").lifetime, Seconds(300));
  EXPECT_EQ(config.purposes.at("transaction").lifetime, Seconds(600));
  EXPECT_TRUE(config.purposes.at("transaction").context);
  EXPECT_FALSE(config.purposes.at("transaction").session);
  EXPECT_EQ(config.purposes.at("password_reset").lifetime, Seconds(1'800));
  EXPECT_EQ(config.providers.at("twilio").kind, ProviderKind::twilio);
  EXPECT_EQ(config.providers.at("mail").kind, ProviderKind::smtp);
  EXPECT_TRUE(config.demo.enabled);
  EXPECT_TRUE(loaded->warnings.empty());
}

TEST(ConfigLoad, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const std::string file = "[limits]\nip_sends = 2\nuser_sends = 2\nrecipient_sends = 2\n";
  const auto loaded =
      load(file, {{"OTPD_LIMITS_IP_SENDS", "3"}, {"OTPD_LIMITS_USER_SENDS", "3"}, {"HOME", "/"}},
           {"--limits.ip_sends=4"});
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.limits.ip_sends, 4U);
  EXPECT_EQ(loaded->config.limits.user_sends, 3U);
  EXPECT_EQ(loaded->config.limits.recipient_sends, 2U);
  EXPECT_EQ(loaded->config.limits.recipient_guesses, 15U);
  EXPECT_EQ(loaded->origins.at("limits.ip_sends").kind, Origin::Kind::flag);
  EXPECT_EQ(loaded->origins.at("limits.user_sends").name, "OTPD_LIMITS_USER_SENDS");
  EXPECT_EQ(loaded->origins.at("limits.recipient_sends").line, 4U);
  EXPECT_FALSE(loaded->origins.contains("limits.recipient_guesses"));
}

TEST(ConfigLoad, AnOverriddenMistakeIsStillAMistake) {
  EXPECT_THAT(errors(load("limits.ip_sends = 0", {{"OTPD_LIMITS_IP_SENDS", "3"}})),
              HasSubstr("limits.ip_sends = 0"));
}

TEST(ConfigLoad, ReportsEverythingAtOnceInTheOrderOfTheSources) {
  const auto loaded = load(
      "[server]\n"
      "max_body_bytes = 0\n"
      "lisen = \"127.0.0.1:1\"\n"
      "[sever]\n"
      "threads = 1\n"
      "[log]\n"
      "level = 3\n",
      {{"OTPD_LIMITS_IP_SENDS", "unlimited"}, {"OTPD_LIMIT_IP_SENDS", "1"}},
      {"--otp.default_region=usa", "--delivery.lease_s=8"});
  ASSERT_FALSE(loaded);
  std::vector<std::string> found;
  for (const auto& problem : loaded.error()) {
    auto where = describe(problem.origin);
    if (problem.origin.kind == Origin::Kind::file) where = where.substr(where.find(':'));
    found.push_back(where + " | " + problem.key + " | " + problem.value + " | " + problem.text);
  }
  EXPECT_THAT(
      found,
      testing::ElementsAre(
          ":2:18 | server.max_body_bytes | 0 | must be a whole number from 1024 to 65536 (bytes)",
          ":3:1 | server.lisen |  | there is no such key; did you mean server.listen?",
          ":4:2 | sever |  | there is no such key; did you mean server?",
          ":7:9 | log.level | 3 | must be one of \"debug\", \"info\", \"warn\", \"error\", \"off\"",
          "environment OTPD_LIMITS_IP_SENDS | limits.ip_sends | unlimited | must be a whole number "
          "from 1 to 10000 (messages)",
          "environment OTPD_LIMIT_IP_SENDS |  |  | is no variable of otpd; did you mean "
          "OTPD_LIMITS_IP_SENDS?",
          "flag --delivery.lease_s | delivery.lease_s | 8 | must be longer than "
          "delivery.provider_timeout_ms (8000), or a message would be sent twice",
          "flag --otp.default_region | otp.default_region | \"usa\" | must be an ISO 3166 country "
          "code in capitals, such as US, or empty"));
}

TEST(ConfigLoad, AFileThatIsMissingOrNoFileOrTooLargeIsAnError) {
  const auto from = [](const std::string& path) {
    return errors(load_config({.file = path, .environment = {}, .flags = {}, .checks = {}}));
  };
  EXPECT_THAT(from("/nowhere/otpd.toml"),
              HasSubstr("/nowhere/otpd.toml\n      cannot be read: No such file"));
  EXPECT_THAT(from("/tmp"), HasSubstr("is not a file"));
  EXPECT_THAT(errors(load(std::string(k_max_file_bytes + 1, '#'))), HasSubstr("is larger than"));
}

TEST(ConfigLoad, WhatIsNotTomlIsReportedWithItsPlaceBesideTheOtherSources) {
  const auto text = errors(load("[server]\nthreads = = 3\n", {}, {"--server.threads=65"}));
  EXPECT_THAT(text, HasSubstr(":2:11\n      is not TOML"));
  EXPECT_THAT(text, HasSubstr("flag --server.threads  server.threads = 65"));
  for (const std::string& bad :
       {std::string("a = \"\0\"", 7), std::string("a = \"\xff\""), std::string("a = 1\na = 2"),
        std::string("[server"), std::string(2'000, '['), "a = " + std::string(2'000, '['),
        std::string("a = 99999999999999999999")}) {
    EXPECT_THAT(errors(load(bad)), HasSubstr("is not TOML")) << bad.substr(0, 40);
  }
}

TEST(ConfigLoad, EveryTypeIsRefusedWhereAnotherIsMeant) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"server.threads = 1.0", "must be a whole number from 0 to 64 (threads), not a fraction"},
      {"server.threads = \"1\"", "must be a whole number"},
      {"server.threads = nan", "not a fraction"},
      {"server.threads = {}", "not a table"},
      {"server.threads = {a = 1}", "not a table"},
      {"server.threads = 1979-05-27", "not a date or time"},
      {"server.listen = 8080", "must be an IP address and a port"},
      {"server.trusted_proxies = \"::1\"", "must be a list of addresses"},
      {"server.trusted_proxies = [1]", "not an array of other things than text"},
      {"server.trusted_proxies = [\"\"]", "must be a list of addresses"},
      {"auth.public = 1", "must be true or false"},
      {"auth.public = \"true\"", "must be true or false"},
      {"data.backend = true", "must be one of \"sqlite\", \"memory\""},
      {"server = 3", "is a section, written [server]"},
      {"purposes.login = 3", "is a section, written [purposes.login]"},
      {"[[providers]]\nkind = \"log\"", "is a section, written [providers]"},
  };
  for (const auto& [file, expected] : cases) {
    EXPECT_THAT(errors(load(file)), HasSubstr(expected)) << file;
  }
}

TEST(ConfigLoad, TextOfTheEnvironmentIsReadStrictly) {
  const auto with = [](const std::string& name, const std::string& value) {
    return errors(
        load_config({.file = {}, .environment = {{name, value}}, .flags = {}, .checks = {}}));
  };
  for (const char* bad : {"", " 1", "1 ", "+1", "01", "0x1", "1e1", "1.0", "1_0", "one"}) {
    EXPECT_THAT(with("OTPD_SERVER_THREADS", bad), HasSubstr("must be a whole number")) << bad;
  }
  for (const char* bad : {"", "TRUE", "1", "yes", " true"}) {
    EXPECT_THAT(with("OTPD_AUTH_PUBLIC", bad), HasSubstr("must be true or false")) << bad;
  }
  EXPECT_THAT(with("OTPD_server_threads", "1"), HasSubstr("is no variable of otpd"));
  EXPECT_THAT(with("OTPD_MESSAGES_BRAND", "a\xff"), HasSubstr("must be a line"));
  EXPECT_EQ(with("OTPD_SERVER_TRUSTED_PROXIES", ""), "fine");
}

TEST(ConfigLoad, VariablesOfAServiceOfOurNameAreNotOurs) {
  const auto with = [](const std::string& name, const std::string& value) {
    return errors(
        load_config({.file = {}, .environment = {{name, value}}, .flags = {}, .checks = {}}));
  };
  EXPECT_EQ(with("OTPD_SERVICE_HOST", "10.0.0.1"), "fine");
  EXPECT_EQ(with("OTPD_SERVICE_PORT_HTTP", "80"), "fine");
  EXPECT_EQ(with("OTPD_PORT", "tcp://10.0.0.1:80"), "fine");
  EXPECT_EQ(with("OTPD_WEB_PORT_80_TCP", "tcp://10.0.0.1:80"), "fine");
  EXPECT_EQ(with("OTPD_PORT_80_TCP_ADDR", "10.0.0.1"), "fine");
  EXPECT_NE(with("OTPD_PORT", "8080"), "fine");
}

TEST(ConfigLoad, ListsAreSeparatedByCommas) {
  const auto loaded = load_flags({"--server.trusted_proxies=10.0.0.0/8, ::1"});
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.server.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_NE(errors(load_flags({"--server.trusted_proxies=::1,"})), "fine");
}

TEST(ConfigLoad, FlagsNeedAValueAndComeOnce) {
  EXPECT_THAT(errors(load_flags({"--auth.public"})),
              HasSubstr("flag --auth.public\n      needs a value: --auth.public=VALUE"));
  EXPECT_THAT(errors(load_flags({"--server.threads=1", "--server.threads=2"})),
              HasSubstr("is given twice"));
}

TEST(ConfigLoad, NamesComeOutOfVariables) {
  const auto loaded =
      load_config({.file = {},
                   .environment = {{"OTPD_PURPOSES_PASSWORD_RESET_DIGITS", "8"},
                                   {"OTPD_PURPOSES_KYC_LIFETIME_S", "60"},
                                   {"OTPD_PURPOSES_KYC_RESEND_AFTER_S", "7"},
                                   {"OTPD_PURPOSES_KYC_LINK_URL", "https://a.example/{token}"},
                                   {"OTPD_PROVIDERS_TWILIO_BASE_URL", "http://127.0.0.1:1"},
                                   {"OTPD_PROVIDERS_OTHER_MAIL_KIND", "smtp"},
                                   {"OTPD_PROVIDERS_OTHER_MAIL_URL", "smtp://localhost:25"},
                                   {"OTPD_DELIVERY_ROUTES_EMAIL", "other_mail"},
                                   {"OTPD_MESSAGES_TEMPLATES_PASSWORD_RESET_SMS_PT_BR", "{code}"}},
                   .flags = {},
                   .checks = {}});
  ASSERT_TRUE(loaded) << errors(loaded);
  const auto& config = loaded->config;
  EXPECT_EQ(config.purposes.at("password_reset").digits, 8U);
  EXPECT_EQ(config.purposes.at("kyc").lifetime, Seconds(60));
  EXPECT_EQ(config.purposes.at("kyc").resend_after, Seconds(7));
  EXPECT_EQ(config.purposes.at("kyc").link_url, "https://a.example/{token}");
  EXPECT_EQ(config.purposes.size(), 4U);
  EXPECT_EQ(config.providers.at("twilio").twilio.base_url, "http://127.0.0.1:1");
  EXPECT_EQ(config.providers.at("other_mail").smtp.url, "smtp://localhost:25");
  EXPECT_EQ(config.messages.templates.at("password_reset").at("sms").at("pt-BR"), "{code}");
}

TEST(ConfigLoad, AMisspeltNameIsNoticed) {
  EXPECT_THAT(errors(load("[purposes.logn]\ndigits = 8\n")),
              HasSubstr("purposes.logn\n      a purpose that you add must say its lifetime_s; did "
                        "you mean purposes.login?"));
  EXPECT_THAT(errors(load("[providers.twillio]\nauth_token = \"x\"\n")),
              HasSubstr("a provider that you add must say its kind; did you mean "
                        "providers.twilio?"));
  EXPECT_THAT(errors(load("[purposes.kyc]\n")), HasSubstr("must say its lifetime_s"));
  EXPECT_THAT(errors(load("[purposes.KYC]\nlifetime_s = 60\n")), HasSubstr("must be a to z"));
}

TEST(ConfigLoad, SuggestsWhatWasMeant) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"listen = \"127.0.0.1:1\"", "server.listen"},
      {"limits.ip_send = 3", "limits.ip_sends"},
      {"purposes.login.digit = 6", "purposes.login.digits"},
      {"providers.mail.pasword = \"x\"", "providers.mail.password"},
      {"crypto.arogn2_passes = 5", "crypto.argon2_passes"},
  };
  for (const auto& [file, expected] : cases) {
    EXPECT_THAT(errors(load(file)), HasSubstr("did you mean " + expected + "?")) << file;
  }
  EXPECT_THAT(errors(load("[a.b.c]\nd = 1")), Not(HasSubstr("did you mean")));
}

TEST(ConfigLoad, KeysOfAnotherKindAreRefused) {
  EXPECT_THAT(errors(load("providers.mail.account_sid = \"x\"")),
              HasSubstr("is a key of kind twilio, but providers.mail is of kind smtp"));
  // The kind counts wherever it is said, also after the key and in another source.
  const auto loaded = load("[providers.sms]\nurl = \"smtp://localhost:25\"\n",
                           {{"OTPD_PROVIDERS_SMS_KIND", "smtp"}});
  EXPECT_TRUE(loaded) << errors(loaded);
}

// --- secrets ---------------------------------------------------------------------------------

TEST(ConfigLoad, NoErrorShowsASecret) {
  const std::string secret = "hunter2-hunter2";
  const std::vector<std::string> files{
      "providers.twilio.auth_token = [\"" + secret + "\"]",
      "providers.twilio.auth_token = \"" + secret + "\\n\"",
      "providers.twilio.auth_tokn = \"" + secret + "\"",
      "providers.mail.password = \"" + secret + "\"",
      "providers.mail.url = \"smtp://me:" + secret + "@mail.example:25\"",
      "auth.api_keys = [\"shop:" + secret + "\"]",
      "auth.api_keys = \"" + secret + "\"",
      "crypto.keys = \"" + secret + "\"\ncrypto.key_file = \"x\"",
      "crypto.keys = " + secret,
      "crypto.keys = '" + secret,
      "crypto.keys = '''" + secret,
      "crypto.keys = '" + secret + "'\ncrypto.keys = '" + secret + "'",
  };
  for (const auto& file : files) {
    const auto text = errors(load(file));
    EXPECT_NE(text, "fine") << file;
    EXPECT_THAT(text, Not(HasSubstr(secret))) << file;
  }
  EXPECT_THAT(errors(load("providers.mail.password = 99999999999999999999")),
              Not(HasSubstr("99999")));
  EXPECT_THAT(errors(load_flags({"--providers.mail.pasword=" + secret, "--no.such=" + secret})),
              Not(HasSubstr(secret)));
}

TEST(ConfigLoad, ShowMasksSecretsAndSaysWhereValuesComeFrom) {
  const std::string secret = "hunter2-hunter2";
  const TemporaryFile file("[auth]\napi_keys = [\"shop:" + k_load_hash +
                           "\"]\n[log]\nlevel = \"warn\"\n[messages.templates.login.sms]\n"
                           "en = \"{code}\"\n");
  const auto loaded = load_config({.file = file.path(),
                                   .environment = {{"OTPD_PROVIDERS_TWILIO_AUTH_TOKEN", secret}},
                                   .flags = {"--server.threads=3"},
                                   .checks = {}});
  ASSERT_TRUE(loaded) << errors(loaded);
  const auto text = show_config(*loaded);
  EXPECT_THAT(text, Not(HasSubstr(secret)));
  EXPECT_THAT(text, Not(HasSubstr(k_load_hash)));
  EXPECT_THAT(
      text,
      HasSubstr("auth_token = \"********\"  # environment OTPD_PROVIDERS_TWILIO_AUTH_TOKEN\n"));
  EXPECT_THAT(text, HasSubstr("api_keys = [\"********\"]  # " + file.path() + ":2\n"));
  EXPECT_THAT(text, HasSubstr("level = \"warn\"  # " + file.path() + ":4\n"));
  EXPECT_THAT(text, HasSubstr("threads = 3  # flag --server.threads\n"));
  EXPECT_THAT(text, HasSubstr("password = \"\"  # default\n"));
  EXPECT_THAT(text, HasSubstr("[messages.templates.login.sms]\nen = \"{code}\"  # "));
  EXPECT_THAT(text, HasSubstr("public_url = \"http://127.0.0.1:8080\"  # derived from "
                              "server.listen\n"));
  EXPECT_TRUE(parse_toml(text, "show").problems.empty());
}

TEST(ConfigLoad, WarnsOfSecretsThatOthersCanRead) {
  const TemporaryFile file("providers.twilio.auth_token = \"x\"\n");
  const auto warnings = [&](std::vector<std::string> flags) {
    const auto loaded = load_config(
        {.file = file.path(), .environment = {}, .flags = std::move(flags), .checks = {}});
    return loaded ? loaded->warnings : std::vector<std::string>{errors(loaded)};
  };
  EXPECT_TRUE(warnings({}).empty());
  EXPECT_THAT(warnings({"--providers.twilio.auth_token=y"}),
              testing::ElementsAre(HasSubstr("is given by a flag")));
  chmod(file.path().c_str(), 0644);
  EXPECT_THAT(warnings({}), testing::ElementsAre(HasSubstr("holds the secret")));
}

// --- damage ----------------------------------------------------------------------------------

// Whatever becomes of a good file, it is refused or gives numbers within bounds; nothing crashes.
TEST(ConfigLoad, ADamagedFileNeverGivesAnythingOutOfBounds) {
  const std::string good = default_config_file();
  SeededRandom random(7);
  const auto pick = [&](std::size_t below) { return random.u64() % below; };
  constexpr std::string_view k_bytes =
      "0179-+._=[]{}\"'#, \n\\\xff"
      "eEnxT";
  int accepted = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (std::size_t changes = pick(3) + 1; changes > 0; --changes) {
      const auto at = pick(text.size() - 64);
      const auto byte = k_bytes[pick(k_bytes.size())];
      switch (pick(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1 + pick(20), byte);
          break;
        default:
          text.erase(at, 1 + pick(40));
      }
    }
    const auto loaded = load(text);
    if (!loaded) continue;
    ++accepted;
    for (const Key* key : config_keys()) {
      if (key->binding.type != KeyType::integer) continue;
      for (const auto& names : section_names(key->path, loaded->config)) {
        const auto number = std::get<std::int64_t>(value_of(*key, names, loaded->config));
        EXPECT_GE(number, key->min) << key->path;
        EXPECT_LE(number, key->max) << key->path;
      }
    }
  }
  EXPECT_GT(accepted, 40);  // damage in comments, mostly
  EXPECT_LT(accepted, 400);
}

}  // namespace
}  // namespace otpd::app
