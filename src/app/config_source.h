// Sources: what a file, the environment and flags assign to keys, before anything is judged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config_key.h"
#include "app/config_path.h"

namespace otpd::app {

// Where a value comes from, in the order of rising precedence.
struct Origin {
  enum class Kind : std::uint8_t { built_in, derived, file, environment, flag };
  Kind kind = Kind::built_in;
  std::string name;  // of the file, the variable or the flag; of a derived one: from what
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// "otpd.toml:12:7", "environment OTPD_SERVER_LISTEN", "flag --server.listen".
std::string describe(const Origin& origin);

// One thing that is wrong. Holds no secret.
struct Problem {
  Origin origin;
  std::string key;    // empty: the source as a whole
  std::string value;  // as it may be shown; empty: not to be shown
  std::string text;   // what is wrong, and what would be right
};

struct Assignment {
  Path path;
  Value value;  // from the environment and flags always text, whatever the key's type
  Origin origin;
};

struct Source {
  std::vector<Assignment> assignments;
  std::vector<Problem> problems;
  bool readable_by_others = false;  // of a file
};

using Variable = std::pair<std::string, std::string>;

// The largest file that is read.
inline constexpr std::size_t k_max_file_bytes = 1024 * 1024;

// TOML 1.0. A syntax error is the only thing reported of its file.
Source parse_toml(std::string_view text, const std::string& name);
Source read_config_file(const std::string& path);

// Variables that do not begin with OTPD_ are none of ours, nor are those that container platforms
// make from the names of services.
Source read_environment(std::span<const Variable> variables, const Config& known);
// This process's environment.
std::vector<Variable> process_environment();

// Flags of the form "--section.key=value".
Source read_flags(std::span<const std::string> flags);

}  // namespace otpd::app
