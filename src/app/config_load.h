// load_config: from a file, the environment and flags to a Config that can be trusted.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/config_source.h"

namespace otpd::app {

// What others know: judgements that other modules make, each of which may be empty, and the time.
struct ConfigChecks {
  // What is wrong with that message text, or nothing.
  std::function<std::optional<std::string>(std::string_view purpose, std::string_view channel,
                                           std::string_view locale, std::string_view text)>
      message_template;
  TimePoint now;  // when it is loaded: which days have passed
};

struct LoadRequest {
  std::string file;  // empty: none
  std::vector<Variable> environment;
  std::vector<std::string> flags;  // "--section.key=value"
  ConfigChecks checks;
};

struct LoadedConfig {
  Config config;
  // Of every key that is not at its default, by path.
  std::map<std::string, Origin> origins;
  // The same of what each other application says for itself, by its name.
  std::map<std::string, std::map<std::string, Origin>> application_origins;
  // The names of all applications, this one's among them.
  std::set<std::string> applications;
  // Whether it is that of an application in [applications].
  bool is_overlay = false;
  // What is allowed but unwise; to be logged at the start. No secret in them.
  std::vector<std::string> warnings;
};

using Problems = std::vector<Problem>;

// A flag beats the environment, which beats the file, which beats the default. The Config is
// within all bounds and consistent, and so is that of every other application, and what was left to
// be derived is filled in; or everything that is wrong with them, in the order of the sources.
std::expected<LoadedConfig, Problems> load_config(const LoadRequest& request);

// For people, one problem a paragraph; ends with a line feed.
std::string describe(std::span<const Problem> problems);

// Of that key, or of its default. For the pieces that make up load_config().
Origin origin_of(const LoadedConfig& loaded, const std::string& path);

}  // namespace otpd::app
