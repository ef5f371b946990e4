// Helpers of the configuration's tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/config_load.h"
#include "app/config_path.h"

namespace otpd::app::config_testing {

// A file with that text, gone with this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "otpd-config-XXXXXX";
    const int handle = mkstemp(pattern.data());
    if (handle >= 0) close(handle);
    path_ = pattern;
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

using Loaded = std::expected<LoadedConfig, Problems>;

inline Loaded load(const std::string& toml, std::vector<Variable> environment = {},
                   std::vector<std::string> flags = {}, ConfigChecks checks = {}) {
  const TemporaryFile file(toml);
  return load_config({.file = file.path(),
                      .environment = std::move(environment),
                      .flags = std::move(flags),
                      .checks = std::move(checks)});
}

inline Loaded load_flags(std::vector<std::string> flags) {
  return load_config({.file = {}, .environment = {}, .flags = std::move(flags), .checks = {}});
}

// What is wrong, for people; or "fine".
inline std::string errors(const Loaded& loaded) {
  return loaded ? "fine" : describe(std::span<const Problem>(loaded.error()));
}

// Every value of a configuration as path = TOML, secrets in clear.
inline std::vector<std::string> everything(const Config& config) {
  std::vector<std::string> all;
  for (const Key* key : config_keys()) {
    if (key->path.starts_with("messages.templates")) continue;
    for (const auto& names : section_names(key->path, config)) {
      const auto kind = provider_kind(key->path, names, config);
      if (!key->kind.empty() && key->kind != kind) continue;
      all.push_back(fill(key->path, names) + " = " + to_toml(value_of(*key, names, config), false));
    }
  }
  return all;
}

}  // namespace otpd::app::config_testing
