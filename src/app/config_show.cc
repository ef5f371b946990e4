#include "app/config_show.h"

#include <algorithm>
#include <set>

#include "app/config_applications.h"
#include "app/config_path.h"

namespace otpd::app {
namespace {

constexpr std::string_view k_intro = R"(# The configuration of otpd: every key, at its default.
#
# `otpd --config FILE` reads such a file; without one, these defaults hold. Leave out what you do
# not change. Every key is also an environment variable (server.listen: OTPD_SERVER_LISTEN,
# purposes.login.digits: OTPD_PURPOSES_LOGIN_DIGITS) and a flag (--server.listen=127.0.0.1:8080);
# lists are separated by commas there. A flag beats the environment, which beats the file.
#
# `otpd config check` says whether a configuration can be used, and everything that is wrong with
# it; `otpd config show` prints the one in effect and where each value comes from.
)";

constexpr std::string_view k_example_template = R"(#
# [messages.templates.login.sms]
# en = "{code} is your {brand} code."
# pt-BR = "{code} é o seu código {brand}."
)";

constexpr std::string_view k_example_application = R"(
# Further applications (docs/applications.md): one section for each, with all that is different
# there. None of them sees codes, sessions, factors or limits of another.
#
# [applications.shop.messages]
# brand = "Shop"
#
# [applications.shop.limits]
# ip_sends = 20
)";

// The text in lines of at most 100 columns, each after "# ".
std::string show_comment(std::string_view text) {
  constexpr std::size_t k_width = 97;
  std::string lines;
  while (!text.empty()) {
    auto end = text.size();
    if (end > k_width) end = std::min(text.rfind(' ', k_width), end);
    lines += "# " + std::string(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return lines;
}

std::string show_last(std::string_view path) {
  return std::string(path.substr(path.rfind('.') + 1));
}

bool show_is_in(const Key& key, const Section& section) {
  return key.path.substr(0, key.path.rfind('.')) == section.pattern;
}

const Key& find_kind_key() {
  Names names;
  return *find_key({"providers", "any", "kind"}, {}, names);
}

// Calls `row(key, names)` for every key that the section of these names has in `config`.
template <class Row>
void show_each_key(const Section& section, const Names& names, const Config& config, Row row) {
  const auto kind = provider_kind(section.pattern, names, config);
  for (const Key* key : config_keys()) {
    if (!show_is_in(*key, section)) continue;
    if (!key->kind.empty() && key->kind != kind) continue;
    if (!key->path.ends_with(".*")) {
      row(*key, names);
      continue;
    }
    for (const auto& [locale, _] : config.messages.templates.at(names[0]).at(names[1])) {
      row(*key, Names{names[0], names[1], locale});
    }
  }
}

std::string show_origin(const Origin& origin) {
  if (origin.kind != Origin::Kind::file) return describe(origin);
  return origin.name + ":" + std::to_string(origin.line);
}

std::string show_row(const Config& config, const Origin& origin, const Key& key,
                     const Names& names) {
  const std::string value = to_toml(value_of(key, names, config), key.secret());
  return show_last(fill(key.path, names)) + " = " + value + "  # " + show_origin(origin) + "\n";
}

std::string show_documentation(const Key& key) {
  return show_comment(key.doc) + show_comment("Must be " + allowed(key) + ".") +
         (key.per_application ? show_comment("Applications may differ in it.") : "");
}

// The kinds of provider that no default is of: their keys, out of use.
std::string show_other_kinds(const Config& config) {
  std::string text = "\n" + show_comment(
                                "The other kinds of provider. Take the # away in front of a "
                                "section, of its kind and of what "
                                "you set.");
  for (const auto kind : find_kind_key().choices) {
    const auto is_kind = [&](const auto& known) {
      return provider_kind("providers.*", {known.first}, config) == kind;
    };
    if (kind.empty() || std::ranges::any_of(config.providers, is_kind)) continue;
    text += "\n#[providers." + std::string(kind) + "]\n#kind = \"" + std::string(kind) + "\"\n";
    for (const Key* key : config_keys()) {
      if (key->kind != kind) continue;
      const Value value = value_of(*key, {std::string(kind)}, Config{});
      text += "\n" + show_documentation(*key) + "#" + show_last(key->path) + " = " +
              to_toml(value, false) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string show_config(const LoadedConfig& loaded) {
  std::string text;
  for (const auto& section : config_sections()) {
    for (const auto& names : section_names(section.pattern, loaded.config)) {
      if (!text.empty()) text += "\n";
      text += "[" + fill(section.pattern, names) + "]\n";
      show_each_key(section, names, loaded.config, [&](const Key& key, const Names& full) {
        text += show_row(loaded.config, origin_of(loaded, fill(key.path, full)), key, full);
      });
    }
  }
  for (const auto& [name, _] : loaded.config.applications) {
    text += "\n" + show_application(loaded, name);
  }
  return text;
}

std::string show_application(const LoadedConfig& loaded, const std::string& name) {
  const bool is_base = name == loaded.config.otp.application;
  const Config& config = is_base ? loaded.config : *loaded.config.applications.at(name);
  const auto& origins = is_base ? loaded.origins : loaded.application_origins.at(name);
  const std::string prefix = is_base ? "" : "applications." + name + ".";
  std::string text;
  for (const auto& section : config_sections()) {
    for (const auto& names : section_names(section.pattern, config)) {
      std::string rows;
      show_each_key(section, names, config, [&](const Key& key, const Names& full) {
        const auto origin = origins.find(fill(key.path, full));
        if (origin == origins.end() || !is_per_application(key) ||
            origin->second.kind == Origin::Kind::derived) {
          return;
        }
        rows += show_row(config, origin->second, key, full);
      });
      if (rows.empty()) continue;
      text += (text.empty() ? "[" : "\n[") + prefix + fill(section.pattern, names) + "]\n" + rows;
    }
  }
  if (text.empty() && !is_base) return "[applications." + name + "]\n";
  return text;
}

std::string default_config_file() {
  Config config;
  std::string text(k_intro);
  std::set<const Key*> documented;
  for (const auto& section : config_sections()) {
    text += "\n" + show_comment(section.doc);
    if (section.per_application) text += show_comment("Applications may differ in it.");
    if (section.pattern.starts_with("messages.templates")) text += k_example_template;
    bool first = true;
    for (const auto& names : section_names(section.pattern, config)) {
      if (!std::exchange(first, false)) text += "\n";
      text += "[" + fill(section.pattern, names) + "]\n";
      show_each_key(section, names, config, [&](const Key& key, const Names& full) {
        if (documented.insert(&key).second) text += "\n" + show_documentation(key);
        text += show_last(fill(key.path, full)) + " = " +
                to_toml(value_of(key, full, config), false) + "\n";
      });
    }
    if (section.pattern == "providers.*") text += show_other_kinds(config);
  }
  text += k_example_application;
  return text;
}

}  // namespace otpd::app
