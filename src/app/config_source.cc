#include "app/config_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>

#include "app/config_forms.h"

namespace otpd::app {
namespace {

Source source_failure(const std::string& path, const std::string& text) {
  Source source;
  source.problems.push_back({{Origin::Kind::file, path}, {}, {}, text});
  return source;
}

// Whether a container platform made the variable because a service is called otpd or otpd-…:
// OTPD_SERVICE_HOST, OTPD_PORT=tcp://…, OTPD_PORT_8080_TCP_ADDR.
bool source_is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")) return true;
  if (name.ends_with("_PORT") || name.ends_with("_TCP") || name.ends_with("_UDP")) {
    return value.starts_with("tcp://") || value.starts_with("udp://");
  }
  return name.contains("_TCP_") || name.contains("_UDP_");
}

}  // namespace

std::string describe(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::built_in:
      return "default";
    case Origin::Kind::derived:
      return "derived from " + origin.name;
    case Origin::Kind::environment:
      return "environment " + origin.name;
    case Origin::Kind::flag:
      return "flag " + origin.name;
    case Origin::Kind::file:
      break;
  }
  if (origin.line == 0) return origin.name;
  return origin.name + ":" + std::to_string(origin.line) + ":" + std::to_string(origin.column);
}

Source read_config_file(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return source_failure(path, "cannot be read: " + std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) return source_failure(path, "is not a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return source_failure(path, "cannot be read: " + std::generic_category().message(errno));
  std::string text(k_max_file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > k_max_file_bytes) {
    return source_failure(path, "is larger than " + std::to_string(k_max_file_bytes) + " bytes");
  }
  Source source = parse_toml(text, path);
  source.readable_by_others = (status.st_mode & S_IROTH) != 0;
  wipe(text);
  return source;
}

Source read_environment(std::span<const Variable> variables, const Config& known) {
  Source source;
  for (const auto& [name, value] : variables) {
    if (!name.starts_with("OTPD_")) continue;
    const Origin origin{Origin::Kind::environment, is_line(name) ? name : "OTPD_…"};
    if (auto path = environment_path(name)) {
      source.assignments.push_back({*std::move(path), value, origin});
    } else if (!source_is_service_link(name, value)) {
      source.problems.push_back(
          {origin, {}, {}, "is no variable of otpd" + suggest_variable(name, known)});
    }
  }
  return source;
}

std::vector<Variable> process_environment() {
  std::vector<Variable> variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

Source read_flags(std::span<const std::string> flags) {
  Source source;
  std::set<std::string> seen;
  for (const auto& flag : flags) {
    const auto equals = flag.find('=');
    const std::string name = flag.substr(0, equals);
    const Path path = split_path(std::string_view(name).substr(2));
    const Origin origin{Origin::Kind::flag, "--" + show_path(path)};
    if (equals == std::string::npos) {
      source.problems.push_back({origin, {}, {}, "needs a value: " + origin.name + "=VALUE"});
    } else if (!seen.insert(name).second) {
      source.problems.push_back({origin, {}, {}, "is given twice"});
    } else {
      source.assignments.push_back({path, flag.substr(equals + 1), origin});
    }
  }
  return source;
}

}  // namespace otpd::app
