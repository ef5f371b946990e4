#include "app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace otpd::app {
namespace {

using testing::HasSubstr;
using testing::Not;

CommandLine command_of(std::vector<const char*> words) {
  words.insert(words.begin(), "otpd");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, SaysWhatToDo) {
  EXPECT_EQ(command_of({}).action, Action::serve);
  EXPECT_EQ(command_of({"config", "check"}).action, Action::config_check);
  EXPECT_EQ(command_of({"config", "show"}).action, Action::config_show);
  EXPECT_EQ(command_of({"config", "default"}).action, Action::config_default);
  EXPECT_EQ(command_of({"keys", "show"}).action, Action::keys_show);
  EXPECT_EQ(command_of({"keys", "rotate"}).action, Action::keys_rotate);
  EXPECT_EQ(command_of({"providers", "list"}).action, Action::providers_list);
  EXPECT_EQ(command_of({"queue", "show"}).action, Action::queue_show);
  EXPECT_EQ(command_of({"dead-letters", "list"}).action, Action::letters_list);
  const auto disable = command_of({"providers", "disable", "twilio"});
  EXPECT_EQ(disable.action, Action::provider_disable);
  EXPECT_EQ(disable.argument, "twilio");
  EXPECT_EQ(command_of({"verification", "show", "../x"}).action, Action::print);
  EXPECT_EQ(command_of({"dead-letters", "requeue"}).action, Action::print);
  const auto shop = command_of({"app", "show", "shop"});
  EXPECT_EQ(shop.action, Action::app_show);
  EXPECT_EQ(shop.argument, "shop");
  EXPECT_EQ(command_of({"app", "list"}).action, Action::app_list);
  const auto key = command_of({"key", "new", "my-shop"});
  EXPECT_EQ(key.action, Action::key_new);
  EXPECT_EQ(key.key.name, "my-shop");
}

TEST(CommandLine, KeyCommandsSayWhichKey) {
  const auto create = command_of(
      {"key", "create", "shop", "--app", "bank", "--scopes", "send,verify", "--expires-in", "90d"});
  EXPECT_EQ(create.action, Action::key_create) << create.text;
  EXPECT_EQ(create.key.name, "shop");
  EXPECT_EQ(create.key.application, "bank");
  EXPECT_THAT(create.key.scopes, testing::ElementsAre("send", "verify"));
  EXPECT_EQ(create.key.expires_in, std::chrono::days(90));
  EXPECT_FALSE(command_of({"key", "create", "shop"}).key.expires_in);
  EXPECT_EQ(command_of({"key", "list"}).action, Action::key_list);
  const auto rotate = command_of({"key", "rotate", "shop", "--overlap=0"});
  EXPECT_EQ(rotate.action, Action::key_rotate);
  EXPECT_EQ(rotate.key.overlap, Seconds(0));
  EXPECT_EQ(command_of({"key", "revoke", "shop"}).action, Action::key_revoke);
  for (const std::vector<const char*>& bad :
       std::vector<std::vector<const char*>>{{"key", "create"},
                                             {"key", "create", "Shop"},
                                             {"key", "create", "../x"},
                                             {"key", "create", "shop", "--app", "A"},
                                             {"key", "create", "shop", "--expires-in", "90"},
                                             {"key", "revoke", "shop", "--overlap", "1h"},
                                             {"key", "rotate", "shop", "--overlap", "-1h"}}) {
    EXPECT_EQ(command_of(bad).action, Action::print);
  }
}

TEST(CommandLine, DurationsHaveAUnit) {
  EXPECT_EQ(parse_duration("45s"), Seconds(45));
  EXPECT_EQ(parse_duration("30m"), Seconds(1'800));
  EXPECT_EQ(parse_duration("24h"), Seconds(86'400));
  EXPECT_EQ(parse_duration("0d"), Seconds(0));
  EXPECT_EQ(parse_duration("99999999d"), std::chrono::days(99'999'999));
  for (const char* bad :
       {"", "d", "1", "1w", "-1d", "+1d", "1.5h", " 1h", "1h ", "1 h", "100000000s"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(CommandLine, AuditCommandsSayWhatTheyAreAbout) {
  const auto search =
      command_of({"audit", "search", "--phone", "+14155552671", "--user", "u", "--verification=-v",
                  "--type", "send", "--from", "2026-01-31", "--to=2026-02-01T08:30:00.5Z",
                  "--limit", "7", "--format", "csv"});
  EXPECT_EQ(search.action, Action::audit_search) << search.text;
  EXPECT_EQ(search.audit.phone, "+14155552671");
  EXPECT_EQ(search.audit.user, "u");
  EXPECT_EQ(search.audit.verification, "-v");
  EXPECT_EQ(search.audit.type, "send");
  EXPECT_EQ(search.audit.from, TimePoint(Seconds(1'769'817'600)));
  EXPECT_EQ(search.audit.to, TimePoint(Millis(1'769'934'600'500)));
  EXPECT_EQ(search.audit.limit, 7U);
  EXPECT_EQ(search.audit.format, AuditFormat::csv);
  const auto out = command_of({"audit", "export", "--out", "../a.ndjson"});
  EXPECT_EQ(out.action, Action::audit_export);
  EXPECT_EQ(out.audit.out_file, "../a.ndjson");
  EXPECT_FALSE(out.audit.from || out.audit.to);
  const std::string key(64, 'a');
  const auto verify = command_of({"audit", "verify", "a.ndjson", "--public-key", key.c_str()});
  EXPECT_EQ(verify.action, Action::audit_verify);
  EXPECT_EQ(verify.audit.file, "a.ndjson");
  EXPECT_EQ(verify.audit.public_key, std::string(32, '\xaa'));
  EXPECT_EQ(command_of({"audit", "verify"}).audit.file, "");
}

TEST(CommandLine, TheFileAndTheFlagsMayStandAnywhere) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"--config", "a.toml", "--server.threads=1", "config", "show"},
           {"config", "--server.threads=1", "show", "--config=a.toml"}}) {
    const auto command = command_of(words);
    EXPECT_EQ(command.action, Action::config_show) << command.text;
    EXPECT_EQ(command.config_file, "a.toml");
    EXPECT_EQ(command.flags, std::vector<std::string>{"--server.threads=1"});
  }
  const auto serve = command_of({"--config", "a.toml", "--log.level=off"});
  EXPECT_EQ(serve.action, Action::serve);
  EXPECT_EQ(serve.config_file, "a.toml");
}

TEST(CommandLine, TheRoleIsAShortFlag) {
  for (const auto& words : std::vector<std::vector<const char*>>{
           {"--role", "worker", "--log.level=off"}, {"--role=worker", "--log.level=off"}}) {
    const auto command = command_of(words);
    EXPECT_EQ(command.action, Action::serve) << command.text;
    EXPECT_THAT(command.flags, testing::Contains("--server.role=worker"));
  }
}

TEST(CommandLine, VersionAndHelpArePrinted) {
  const auto version = command_of({"--version"});
  EXPECT_EQ(version.action, Action::print);
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.text, "otpd " OTPD_VERSION "\n");
  const auto help = command_of({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* word : {"--config FILE", "--version", "OTPD_SECTION_KEY", "keys", "config"}) {
    EXPECT_THAT(help.text, HasSubstr(word));
  }
  EXPECT_THAT(command_of({"config", "--help"}).text, HasSubstr("check"));
}

TEST(CommandLine, MistakesAreNamed) {
  const std::vector<std::pair<std::vector<const char*>, std::string>> cases{
      {{"--confg", "a.toml"}, "unknown argument: --confg; did you mean --config?"},
      {{"serve"}, "unknown argument: serve"},
      {{"config", "chek"}, "unknown argument: chek; did you mean check?"},
      {{"config"}, "needs one of check, show, default"},
      {{"keys", "roate"}, "unknown argument: roate; did you mean rotate?"},
      {{"keys"}, "needs one of show, rotate"},
      {{"key"}, "needs one of create, list"},
      {{"key", "new"}, "NAME is required"},
      {{"key", "new", "My Shop"}, "the name of an API key or"},
      {{"key", "new", "a", "b"}, "unknown argument: b"},
      {{"config", "check", "show"}, "unknown argument: show"},
      {{"--config"}, "--config"},
      {{"--config="}, "--config"},
      {{"--config", "a", "--config", "b"}, "--config"},
      {{"-x"}, "unknown argument: -x"},
      {{"audit"}, "needs one of search, export, verify"},
      {{"audit", "serch"}, "unknown argument: serch; did you mean search?"},
      {{"audit", "search", "--from", "2026-13-01"}, "--from needs a day or a time"},
      {{"audit", "search", "--to", "now"}, "--to needs a day or a time"},
      {{"audit", "search", "--from=2026-01-02", "--to=2026-01-02"}, "--from must be before --to"},
      {{"audit", "search", "--format", "tabel"}, "--format is one of table, csv, ndjson"},
      {{"audit", "search", "--limit", "0"}, "--limit"},
      {{"audit", "search", "--phone=1", "--email=2"}, "either --phone or --email"},
      {{"app"}, "needs one of list, show"},
      {{"app", "show"}, "NAME is required"},
      {{"audit", "verify", "--public-key", "00"}, "--public-key needs 64 hexadecimal digits"},
      {{"audit", "verify", "a", "--to", "2026-01-01"}, "checked as a whole"},
      {{"audit", "verify", "a", "b"}, "unknown argument: b"},
  };
  for (const auto& [words, expected] : cases) {
    const auto command = command_of(words);
    EXPECT_EQ(command.action, Action::print) << expected;
    EXPECT_EQ(command.exit_code, 2) << expected;
    EXPECT_THAT(command.text, HasSubstr(expected));
  }
  EXPECT_THAT(command_of({"--password=hunter2"}).text, Not(HasSubstr("hunter2")));
  const auto apart = command_of({"--providers.mail.password", "hunter2"});
  EXPECT_THAT(apart.text, HasSubstr("needs a value: --providers.mail.password=VALUE"));
  EXPECT_THAT(apart.text, Not(HasSubstr("hunter2")));
}

// It may be a variable of a script that was not set: what it would mean is never what was meant.
TEST(CommandLine, AnEmptyValueIsRefusedWhereverItStands) {
  const std::vector<std::vector<const char*>> all{
      {"key", "create", "a", "--scopes", ""},
      {"key", "create", "a", "--scopes="},
      {"key", "create", "a", "--expires-in", ""},
      {"key", "create", "a", "--app", ""},
      {"key", "rotate", "a", "--overlap", ""},
      {"key", "revoke", "a", "--app", ""},
      {"key", "create", ""},
      {"key", "revoke", ""},
      {"key", "new", ""},
      {"app", "show", ""},
      {"providers", "disable", ""},
      {"dead-letters", "requeue", ""},
      {"verification", "show", ""},
      {"factor", "list", ""},
      {"factor", "remove", "u", ""},
      {"factor", "unlock", "u", "--application", ""},
      {"audit", "search", "--phone", ""},
      {"audit", "search", "--email", ""},
      {"audit", "search", "--application", ""},
      {"audit", "search", "--user", ""},
      {"audit", "search", "--verification", ""},
      {"audit", "search", "--type", ""},
      {"audit", "search", "--limit", ""},
      {"audit", "search", "--format", ""},
      {"audit", "search", "--from", ""},
      {"audit", "export", "--to", ""},
      {"audit", "export", "--out", ""},
      {"audit", "verify", ""},
      {"audit", "verify", "a", "--public-key", ""},
      {"--role", ""},
      {"--config", ""},
  };
  for (const auto& words : all) {
    const auto command = command_of(words);
    EXPECT_EQ(command.exit_code, 2) << testing::PrintToString(words);
    EXPECT_EQ(command.action, Action::print) << testing::PrintToString(words);
  }
  EXPECT_THAT(command_of(all[0]).text, HasSubstr("--scopes: is empty"));
  EXPECT_THAT(command_of(all[6]).text, HasSubstr("NAME: is empty"));
}

TEST(CommandLine, AnApplicationIsNamedTheSameWayEverywhere) {
  for (const char* option : {"--app", "--application"}) {
    const auto key = command_of({"key", "create", "a", option, "bank"});
    EXPECT_EQ(key.key.application, "bank") << key.text;
    const auto factor = command_of({"factor", "list", "u", option, "bank"});
    EXPECT_EQ(factor.application, "bank") << factor.text;
    const auto search = command_of({"audit", "search", option, "bank"});
    EXPECT_EQ(search.audit.application, "bank") << search.text;
  }
}

TEST(CommandLine, NoScopeIsAnEmptyPart) {
  for (const char* scopes : {"send,", ",", ",send", "send,,verify"}) {
    const auto command = command_of({"key", "create", "a", "--scopes", scopes});
    EXPECT_EQ(command.exit_code, 2) << scopes;
    EXPECT_THAT(command.text, HasSubstr("--scopes has an empty part")) << scopes;
  }
}

TEST(CommandLine, CarriesOutTheConfigCommands) {
  const auto run = [](std::vector<const char*> words) {
    const auto command = command_of(std::move(words));
    std::ostringstream out, err;
    const int code = run_config_command(
        command,
        {.file = command.config_file, .environment = {}, .flags = command.flags, .checks = {}}, out,
        err);
    return std::to_string(code) + "|" + out.str() + "|" + err.str();
  };
  EXPECT_EQ(run({"config", "check"}), "0|The configuration is fine.\n|");
  EXPECT_THAT(run({"config", "check", "--crypto.hash=hmac"}), HasSubstr("|warning: crypto.hash"));
  EXPECT_THAT(run({"config", "check", "--log.level=loud"}),
              testing::StartsWith("2||otpd: the configuration has 1 error:\n"));
  EXPECT_THAT(run({"config", "show"}), testing::StartsWith("0|[server]\nmode = "));
  EXPECT_THAT(run({"config", "default"}), testing::StartsWith("0|# The configuration of otpd"));
  const char* shop = "--applications.shop.limits.ip_sends=20";
  EXPECT_EQ(run({"app", "list", shop}), "0|default\nshop\n|");
  EXPECT_EQ(run({"app", "show", "shop", shop}),
            "0|[applications.shop.limits]\nip_sends = 20  # flag "
            "--applications.shop.limits.ip_sends\n|");
  EXPECT_EQ(run({"app", "show", "bank", shop}), "2||otpd: there is no [applications.bank]\n");
  EXPECT_EQ(run({"app", "show", "default", shop, "--limits.ip_sends=30", "--log.level=off"}),
            "0|[limits]\nip_sends = 30  # flag --limits.ip_sends\n|");
  EXPECT_EQ(run({"app", "show", "main", "--otp.application=main", "--limits.ip_sends=30"}),
            "0|[limits]\nip_sends = 30  # flag --limits.ip_sends\n|");
}

}  // namespace
}  // namespace otpd::app
