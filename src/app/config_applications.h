// Applications in the configuration: [applications.NAME.…] lays other values over all the rest of
// it, for one application alone.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config_source.h"

namespace otpd::app {

inline constexpr std::size_t k_max_applications = 100;

// "applications.NAME" and the path that follows it, which may be empty.
struct ApplicationPath {
  std::string name;
  Path rest;
};
// Nothing unless the path leads into [applications.NAME].
std::optional<ApplicationPath> application_path(const Path& path);

// The path that is meant inside of [applications.NAME]; the path itself elsewhere.
Path without_application(const Path& path);

// Whether applications may differ in that key.
bool is_per_application(const Key& key);

// What the sources say, told apart: for all, and by application, in the order of precedence.
struct Overlays {
  std::vector<Assignment> base;
  std::map<std::string, std::vector<Assignment>> applications;  // with paths as elsewhere
  std::map<std::string, Origin> first;                          // where each was first named
};

// Reports what cannot stand under [applications].
Overlays split_applications(std::vector<Assignment> assignments, std::vector<Problem>& problems);

// What an application starts from: all that holds for everybody. What belongs to one alone stays
// with it: test recipients, whose codes are known to many, being public and the pages that may
// call, and the endpoint for events with its secrets and its leave to be in a private network.
std::vector<Assignment> inherited_by_applications(const std::vector<Assignment>& base);

}  // namespace otpd::app
