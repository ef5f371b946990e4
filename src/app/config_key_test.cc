#include "app/config_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "app/config_keys.h"
#include "app/config_path.h"
#include "app/config_show.h"
#include "app/config_testing.h"

namespace otpd::app {
namespace {

using config_testing::errors;
using config_testing::everything;
using config_testing::load_flags;

// A name for each star: those of a section that is always there.
Names key_names(const Key& key) {
  if (key.path.starts_with("purposes.")) return {"login"};
  if (key.path.starts_with("prefix_routes.")) return {"germany"};
  if (key.path.starts_with("test_recipients.")) return {"review"};
  if (key.path.starts_with("providers.")) {
    if (key.kind.empty() || key.kind == "twilio") return {"twilio"};
    return {key.kind == "smtp" ? "mail" : std::string(key.kind)};
  }
  if (key.path.starts_with("messages.templates.")) return {"login", "sms", "en"};
  return {};
}

std::string key_repository_file(const std::string& name) {
  std::ifstream in(std::string(OTPD_SOURCE_DIR) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ConfigKey, TheDocumentedFileIsMadeFromTheTable) {
  EXPECT_TRUE(key_repository_file("config/otpd.toml") == default_config_file())
      << "the table has changed: otpd config default > config/otpd.toml";
}

TEST(ConfigKey, TheDocumentedFileHasEveryKeyAndGivesTheDefaults) {
  const Source source = parse_toml(key_repository_file("config/otpd.toml"), "otpd.toml");
  ASSERT_TRUE(source.problems.empty()) << source.problems[0].text;
  std::set<std::string> in_file;
  for (const auto& assignment : source.assignments) {
    if (!std::holds_alternative<NotAValue>(assignment.value)) {
      in_file.insert(show_path(assignment.path));
    }
  }
  Config defaults;
  std::set<std::string> in_table;
  for (const Key* key : config_keys()) {
    if (key->path.starts_with("messages.templates.")) continue;
    for (const auto& names : section_names(key->path, defaults)) {
      const auto kind = provider_kind(key->path, names, defaults);
      if (key->kind.empty() || key->kind == kind) in_table.insert(fill(key->path, names));
    }
  }
  EXPECT_EQ(in_file, in_table);

  const auto from_file = load_config({.file = std::string(OTPD_SOURCE_DIR) + "/config/otpd.toml",
                                      .environment = {},
                                      .flags = {},
                                      .checks = {}});
  const auto from_nothing = load_config({});
  ASSERT_TRUE(from_file) << errors(from_file);
  EXPECT_EQ(everything(from_file->config), everything(from_nothing->config));
  EXPECT_EQ(from_file->config.demo.enabled, from_nothing->config.demo.enabled);
  EXPECT_TRUE(from_file->warnings.empty()) << from_file->warnings[0];
}

// The keys of kinds that no default provider is of stand there out of use.
TEST(ConfigKey, TheDocumentedFileHasEveryKindOfProvider) {
  std::istringstream lines(key_repository_file("config/otpd.toml"));
  std::string used;
  for (std::string line; std::getline(lines, line);) {
    const bool out_of_use = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    used += (out_of_use ? line.substr(1) : line) + "\n";
  }
  const Source source = parse_toml(used, "otpd.toml");
  ASSERT_TRUE(source.problems.empty()) << source.problems[0].text;
  std::set<std::string> in_file;
  for (const auto& assignment : source.assignments) in_file.insert(show_path(assignment.path));
  for (const Key* key : config_keys()) {
    if (key->path.starts_with("providers.")) {
      EXPECT_TRUE(in_file.contains(fill(key->path, key_names(*key)))) << key->path << key->kind;
    }
  }
  // What is missing then is only what nobody can know.
  const auto text = errors(config_testing::load(used));
  EXPECT_THAT(text, testing::HasSubstr("providers.vonage.api_key = \"\"\n      must be a line"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("no such key")));
}

TEST(ConfigKey, EveryRowIsComplete) {
  std::set<std::string> sections;
  for (const auto& section : config_sections()) sections.emplace(section.pattern);
  for (const Key* key : config_keys()) {
    const std::string path(key->path);
    EXPECT_TRUE(sections.contains(path.substr(0, path.rfind('.')))) << path;
    EXPECT_GT(key->doc.size(), 10U) << path;
    switch (key->binding.type) {
      case KeyType::integer:
        EXPECT_LT(key->min, key->max) << path;
        EXPECT_FALSE(key->unit.empty()) << path;
        break;
      case KeyType::text:
      case KeyType::list:
        EXPECT_NE(key->check, nullptr) << path;
        EXPECT_FALSE(key->form.empty()) << path;
        break;
      case KeyType::choice:
        EXPECT_FALSE(key->choices[1].empty()) << path;
        break;
      case KeyType::boolean:
        break;
    }
  }
  // Every row of every part is in some section, so none is lost on the way into the table.
  EXPECT_EQ(config_keys().size(),
            server_keys().size() + otp_keys().size() + recipient_keys().size() + cap_keys().size() +
                delivery_keys().size() + route_keys().size() + provider_keys().size() +
                http_keys().size() + smpp_keys().size() + webhook_keys().size() +
                cluster_keys().size());
}

TEST(ConfigKey, TheUnitIsInTheName) {
  Config config;
  for (const Key* key : config_keys()) {
    const Slot slot = key->binding.slot(config, key_names(*key));
    EXPECT_EQ(std::holds_alternative<Millis*>(slot), key->path.ends_with("_ms")) << key->path;
    EXPECT_EQ(std::holds_alternative<Seconds*>(slot), key->path.ends_with("_s")) << key->path;
    EXPECT_EQ(std::holds_alternative<Days*>(slot), key->path.ends_with("_days")) << key->path;
  }
}

TEST(ConfigKey, EveryKeyHasItsOwnMember) {
  Config config;
  std::set<const void*> members;
  for (const Key* key : config_keys()) {
    const Slot slot = key->binding.slot(config, key_names(*key));
    const void* member = std::visit(
        [](const auto& to) -> const void* {
          if constexpr (requires { to.object; }) {
            return to.object;
          } else {
            return to;
          }
        },
        slot);
    EXPECT_TRUE(members.insert(member).second || member == &config) << key->path;
  }
}

TEST(ConfigKey, EveryVariableNamesOneKeyAndLeadsBack) {
  std::set<std::string> variables;
  for (const Key* key : config_keys()) {
    const auto path = fill(key->path, key_names(*key));
    const auto variable = environment_name(path);
    EXPECT_TRUE(variables.insert(variable).second) << variable;
    const auto back = environment_path(variable);
    ASSERT_TRUE(back) << variable;
    EXPECT_EQ(show_path(*back), path);
  }
}

TEST(ConfigKey, EveryChoiceReachesItsEnumerator) {
  for (const Key* key : config_keys()) {
    if (key->binding.type != KeyType::choice) continue;
    Config config;
    for (const auto choice : key->choices) {
      if (choice.empty()) break;
      EXPECT_TRUE(assign(*key, key_names(*key), std::string(choice), config)) << key->path;
      EXPECT_EQ(value_of(*key, key_names(*key), config), Value(std::string(choice))) << key->path;
    }
    EXPECT_FALSE(assign(*key, key_names(*key), std::string("other"), config)) << key->path;
    EXPECT_FALSE(assign(*key, key_names(*key), std::string(), config)) << key->path;
  }
  const auto loaded = load_flags({"--log.level=warn", "--data.backend=memory", "--crypto.hash=hmac",
                                  "--purposes.login.resend=same", "--demo.enabled=false"});
  ASSERT_TRUE(loaded) << errors(loaded);
  EXPECT_EQ(loaded->config.log.level, log::Level::warn);
  EXPECT_EQ(loaded->config.data.backend, Backend::memory);
  EXPECT_EQ(loaded->config.crypto.hash, CodeHash::hmac);
  EXPECT_EQ(loaded->config.purposes.at("login").resend, Resend::same);
  EXPECT_FALSE(loaded->config.demo.enabled);
}

TEST(ConfigKey, NumbersReachTheirMembersAtBothBounds) {
  for (const Key* key : config_keys()) {
    if (key->binding.type != KeyType::integer) continue;
    Config config;
    for (const auto number : {key->min, key->max}) {
      EXPECT_TRUE(assign(*key, key_names(*key), number, config)) << key->path;
      EXPECT_EQ(value_of(*key, key_names(*key), config), Value(number)) << key->path;
    }
    EXPECT_FALSE(assign(*key, key_names(*key), key->min - 1, config)) << key->path;
    EXPECT_FALSE(assign(*key, key_names(*key), key->max + 1, config)) << key->path;
    EXPECT_EQ(value_of(*key, key_names(*key), config), Value(key->max)) << key->path;
  }
}

// --- no number means "unlimited" -------------------------------------------------------------

const std::vector<std::string>& key_hostile_numbers() {
  static const std::vector<std::string> numbers{"0",
                                                "-0",
                                                "-1",
                                                "-2147483648",
                                                "-9223372036854775808",
                                                "2147483647",
                                                "2147483648",
                                                "4294967295",
                                                "4294967296",
                                                "4294967297",
                                                "9223372036854775807",
                                                "18446744073709551615",
                                                "9223372036854775808",
                                                "99999999999999999999999999",
                                                "1e9",
                                                "1e400",
                                                "0.5",
                                                "1.0",
                                                "-0.0",
                                                "inf",
                                                "+inf",
                                                "-inf",
                                                "nan",
                                                "-nan",
                                                "0x0",
                                                "0xffffffffffffffff",
                                                "0b0",
                                                "0o0",
                                                "1_000_000",
                                                "true",
                                                "false",
                                                "\"\"",
                                                "\"0\"",
                                                "\"unlimited\"",
                                                "\"none\"",
                                                "[]",
                                                "{}",
                                                "[0]",
                                                "1979-05-27T07:32:00Z",
                                                "unlimited",
                                                "none",
                                                "null",
                                                "",
                                                " ",
                                                "off"};
  return numbers;
}

// Refused, or a number within bounds; and what is refused leaves no configuration at all.
void key_expect_limited(const Key& key, const config_testing::Loaded& loaded,
                        const std::string& how) {
  if (!loaded) return;
  const Value value = value_of(key, key_names(key), loaded->config);
  const auto* number = std::get_if<std::int64_t>(&value);
  ASSERT_NE(number, nullptr) << how;
  EXPECT_GE(*number, key.min) << how;
  EXPECT_LE(*number, key.max) << how;
}

TEST(ConfigKey, NoValueOfAnyNumberMeansUnlimited) {
  // Only these take 0, which is "one per core", not "no limit".
  // or "as everywhere else".
  const std::set<std::string_view> may_be_zero{"server.threads", "crypto.hash_threads",
                                               "providers.*.timeout_ms"};
  for (const Key* key : config_keys()) {
    if (key->binding.type != KeyType::integer) continue;
    EXPECT_EQ(key->min == 0, may_be_zero.contains(key->path)) << key->path;
    EXPECT_GE(key->min, 0) << key->path;
    EXPECT_LE(key->max, 31'536'000) << key->path;
    const std::string path = fill(key->path, key_names(*key));
    for (const auto& number : key_hostile_numbers()) {
      const std::string in_file = path + " = " + number;
      key_expect_limited(*key, config_testing::load(in_file), in_file);
      const std::string flag = "--" + path + "=" + number;
      key_expect_limited(*key, load_flags({flag}), flag);
      const Variable variable{environment_name(path), number};
      key_expect_limited(
          *key, load_config({.file = {}, .environment = {variable}, .flags = {}, .checks = {}}),
          variable.first + "=" + number);
    }
  }
}

TEST(ConfigKey, ZeroIsRefusedForEveryLimitByName) {
  for (const Key* key : config_keys()) {
    if (key->binding.type != KeyType::integer || key->min == 0) continue;
    const std::string path = fill(key->path, key_names(*key));
    EXPECT_THAT(errors(load_flags({"--" + path + "=0"})),
                testing::HasSubstr(path + " = 0\n      must be a whole number from"));
  }
}

}  // namespace
}  // namespace otpd::app
