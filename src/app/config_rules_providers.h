// RuleBench: what a rule over several keys sees and how it speaks; and the providers' rules.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>

#include "app/config_load.h"
#include "app/config_path.h"

namespace otpd::app {

struct RuleBench {
  LoadedConfig& loaded;
  const ConfigChecks& checks;
  const std::set<std::string>& failed;
  Problems& problems;

  const Config& config() const { return loaded.config; }

  // `path` is wrong because of `others`, too.
  void refuse(const std::string& path, std::initializer_list<std::string> others,
              std::string text) const {
    const auto has_failed = [&](const std::string& key) { return failed.contains(key); };
    if (has_failed(path) || std::ranges::any_of(others, has_failed)) return;
    Names names;
    const auto kind = [&] {
      const Path segments = split_path(path);
      return segments.size() > 1 ? provider_kind(path, {segments[1]}, config()) : "";
    }();
    const Key* key = find_key(split_path(path), kind, names);
    std::string value = key ? to_toml(value_of(*key, names, config()), key->secret()) : "";
    problems.push_back({origin_of(loaded, path), path, std::move(value), std::move(text)});
  }
  void warn(std::string text) const { loaded.warnings.push_back(std::move(text)); }
};

// Whether a provider of that kind can carry the channel at all.
bool can_carry(ProviderKind kind, std::string_view channel);

// What the keys of one provider ask of one another, and of delivery's.
void judge_providers(const RuleBench& bench);

}  // namespace otpd::app
