#include "app/config_path.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

constexpr std::string_view k_variable_prefix = "OTPD_";
constexpr std::string_view k_application_prefix = "OTPD_APPLICATIONS_";
constexpr std::string_view k_templates = "messages.templates.*.*.*";
constexpr std::array<std::string_view, 4> k_channels{"sms", "voice", "whatsapp", "email"};

std::string path_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string path_upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string path_join(const Path& path) {
  std::string text;
  for (const auto& segment : path) text += (text.empty() ? "" : ".") + segment;
  return text;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
std::size_t path_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  std::iota(d[0].begin(), d[0].end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

// Every key that there is under the names of `config`; templates have no limited set of names.
std::vector<std::string> path_all(const Config& config) {
  std::vector<std::string> paths;
  for (const Key* key : config_keys()) {
    if (key->path == k_templates) continue;
    for (const auto& names : section_names(key->path, config)) {
      const auto kind = provider_kind(key->path, names, config);
      if (key->kind.empty() || key->kind == kind) paths.push_back(fill(key->path, names));
    }
  }
  return paths;
}

// "pt_br" as the locale "pt-BR".
std::string path_locale(std::string_view text) {
  std::string locale;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('_'));
    const bool script = part.size() == 4;
    if (locale.empty()) {
      locale = part;
    } else {
      locale += "-" + path_upper(part.substr(0, 1));
      locale += script ? std::string(part.substr(1)) : path_upper(part.substr(1));
    }
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return locale;
}

std::optional<Path> path_of_template(std::string_view rest) {
  for (const auto channel : k_channels) {
    const std::string middle = "_" + std::string(channel) + "_";
    const auto at = rest.rfind(middle);
    if (at == std::string_view::npos || at == 0) continue;
    return Path{"messages", "templates", std::string(rest.substr(0, at)), std::string(channel),
                path_locale(rest.substr(at + middle.size()))};
  }
  return {};
}

// The name in a variable of a one-star pattern, or empty.
std::string_view path_star(std::string_view pattern, std::string_view variable) {
  const auto star = pattern.find('*');
  std::string before(pattern.substr(0, star));
  std::string after(pattern.substr(star + 1));
  std::ranges::replace(before, '.', '_');
  std::ranges::replace(after, '.', '_');
  const auto fixed = before.size() + after.size();
  if (variable.size() <= fixed || !variable.starts_with(before) || !variable.ends_with(after)) {
    return {};
  }
  return variable.substr(before.size(), variable.size() - fixed);
}

// "OTPD_APPLICATIONS_MY_SHOP_LIMITS_IP_SENDS": what follows the name is a variable's end, and the
// name is the shortest that leaves one.
std::optional<Path> path_of_application(std::string_view variable) {
  const auto rest = variable.substr(k_application_prefix.size());
  for (auto at = rest.find('_'); at != std::string_view::npos; at = rest.find('_', at + 1)) {
    if (at == 0 || rest.substr(at + 1).starts_with("APPLICATIONS_")) continue;
    auto inner =
        environment_path(std::string(k_variable_prefix) + std::string(rest.substr(at + 1)));
    if (!inner) continue;
    Path path{"applications", path_lower(rest.substr(0, at))};
    path.insert(path.end(), inner->begin(), inner->end());
    return path;
  }
  return {};
}

}  // namespace

Path split_path(std::string_view text) {
  Path path;
  for (std::size_t from = 0;;) {
    const auto dot = text.find('.', from);
    path.emplace_back(text.substr(from, dot == std::string_view::npos ? dot : dot - from));
    if (dot == std::string_view::npos) return path;
    from = dot + 1;
  }
}

std::string show_path(const Path& path) {
  constexpr std::size_t k_longest = 120;
  Path shown;
  for (const auto& segment : path) {
    const bool bare = !segment.empty() && std::ranges::all_of(segment, [](unsigned char c) {
      return std::isalnum(c) || c == '_' || c == '-';
    });
    shown.push_back(bare ? segment : to_toml(segment, false));
  }
  std::string text = path_join(shown);
  return text.size() <= k_longest ? text : text.substr(0, k_longest) + "…";
}

bool matches(std::string_view pattern, const Path& path, Names& names) {
  names.clear();
  const Path segments = split_path(pattern);
  if (segments.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (segments[i] == "*") {
      names.push_back(path[i]);
    } else if (segments[i] != path[i]) {
      return false;
    }
  }
  return true;
}

std::string fill(std::string_view pattern, const Names& names) {
  Path path = split_path(pattern);
  std::size_t next = 0;
  for (auto& segment : path) {
    if (segment == "*") segment = names.at(next++);
  }
  return path_join(path);
}

bool is_section(const Path& path) {
  Names names;
  return std::ranges::any_of(config_keys(), [&](const Key* key) {
    const Path segments = split_path(key->path);
    if (segments.size() <= path.size()) return false;
    const auto end = segments.begin() + static_cast<std::ptrdiff_t>(path.size());
    return matches(path_join({segments.begin(), end}), path, names);
  });
}

const Key* find_key(const Path& path, std::string_view kind, Names& names) {
  for (const Key* key : config_keys()) {
    const bool of_kind = key->kind.empty() || kind.empty() || key->kind == kind;
    if (of_kind && matches(key->path, path, names)) return key;
  }
  return nullptr;
}

std::string wrong_names(std::string_view pattern, const Names& names) {
  if (names.empty()) return {};
  if (!is_name(names[0])) {
    return "the name after " + std::string(pattern.substr(0, pattern.find(".*"))) +
           " must be a to z, 0 to 9 and _, beginning with a letter, at most 32";
  }
  if (names.size() < 3) return {};
  if (std::ranges::find(k_channels, names[1]) == k_channels.end()) {
    return "the channel must be sms, voice, whatsapp or email";
  }
  return is_locale(names[2]) ? "" : "the locale must be a language tag such as en or pt-BR";
}

std::string environment_name(std::string_view path) {
  std::string name = std::string(k_variable_prefix) + path_upper(path);
  std::ranges::replace(name, '.', '_');
  std::ranges::replace(name, '-', '_');
  return name;
}

std::optional<Path> environment_path(std::string_view variable) {
  if (!variable.starts_with(k_variable_prefix) || path_upper(variable) != variable) return {};
  if (variable.starts_with(k_application_prefix)) return path_of_application(variable);
  const std::string rest = path_lower(variable.substr(k_variable_prefix.size()));
  std::optional<Path> found;
  std::string_view shortest = rest;
  for (const Key* key : config_keys()) {
    if (key->path == k_templates) continue;
    if (!key->path.contains('*')) {
      if (environment_name(key->path) == variable) return split_path(key->path);
    } else if (const auto name = path_star(key->path, rest);
               !name.empty() && name.size() < shortest.size()) {
      shortest = name;
      found = split_path(fill(key->path, {std::string(name)}));
    }
  }
  constexpr std::string_view k_template_prefix = "messages_templates_";
  if (!found && rest.starts_with(k_template_prefix)) {
    return path_of_template(std::string_view(rest).substr(k_template_prefix.size()));
  }
  return found;
}

std::string suggest(std::string_view word, std::span<const std::string> words) {
  constexpr std::size_t k_longest = 100;
  if (word.size() > k_longest) return {};
  const std::string* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, word.size() / 6) + 1;
  for (const auto& candidate : words) {
    const auto distance = path_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = &candidate;
    }
  }
  return nearest ? "; did you mean " + *nearest + "?" : "";
}

std::string suggest_key(const Path& path, const Config& config) {
  auto candidates = path_all(config);
  for (const auto& section : config_sections()) {
    for (const auto& names : section_names(section.pattern, config)) {
      candidates.push_back(fill(section.pattern, names));
    }
  }
  if (auto near = suggest(path_join(path), candidates); !near.empty()) return near;
  const std::string tail = "." + path.back();
  const auto elsewhere =
      std::ranges::find_if(candidates, [&](const auto& known) { return known.ends_with(tail); });
  return elsewhere == candidates.end() ? "" : "; did you mean " + *elsewhere + "?";
}

std::string suggest_variable(std::string_view variable, const Config& config) {
  auto candidates = path_all(config);
  for (auto& candidate : candidates) candidate = environment_name(candidate);
  return suggest(variable, candidates);
}

std::vector<Names> section_names(std::string_view pattern, const Config& config) {
  std::vector<Names> all;
  if (pattern.starts_with("purposes.*")) {
    for (const auto& [name, _] : config.purposes) all.push_back({name});
  } else if (pattern.starts_with("providers.*")) {
    for (const auto& [name, _] : config.providers) all.push_back({name});
  } else if (pattern.starts_with("prefix_routes.*")) {
    for (const auto& [name, _] : config.prefix_routes) all.push_back({name});
  } else if (pattern.starts_with("test_recipients.*")) {
    for (const auto& [name, _] : config.test_recipients) all.push_back({name});
  } else if (pattern.starts_with("messages.templates.*")) {
    for (const auto& [purpose, channels] : config.messages.templates) {
      for (const auto& [channel, _] : channels) all.push_back({purpose, channel});
    }
  } else {
    all.emplace_back();
  }
  return all;
}

std::string provider_kind(std::string_view pattern, const Names& names, const Config& config) {
  if (!pattern.starts_with("providers.") || names.empty()) return {};
  if (!config.providers.contains(names[0])) return {};
  Names name;
  const Key* kind = find_key({"providers", names[0], "kind"}, {}, name);
  return std::get<std::string>(value_of(*kind, name, config));
}

}  // namespace otpd::app
