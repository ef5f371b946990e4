#include "app/config_applications.h"

#include <algorithm>

#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

constexpr std::string_view k_applications = "applications";

constexpr std::string_view k_never_inherited[] = {
    "otp.application", "auth.public",      "auth.cors_origins",
    "webhooks.url",    "webhooks.secrets", "webhooks.allow_private",
};

// What is wrong with an assignment under [applications], or empty.
std::string applications_wrong(const Assignment& assignment) {
  const auto* other = std::get_if<NotAValue>(&assignment.value);
  const bool is_table = other && other->type == "a table";
  const auto own = application_path(assignment.path);
  if (!own) return is_table ? "" : "is a section, written [applications.NAME]";
  if (!is_name(own->name)) {
    return "the name after applications must be a to z, 0 to 9 and _, beginning with a letter, "
           "at most 32";
  }
  if (own->rest.empty()) {
    return is_table ? "" : "is a section, written [applications." + own->name + "]";
  }
  Names names;
  const Key* key = find_key(own->rest, {}, names);
  if (key && !is_per_application(*key)) {
    return "cannot differ by application: " + show_path(own->rest) + " holds for all of them";
  }
  return "";
}

}  // namespace

std::optional<ApplicationPath> application_path(const Path& path) {
  if (path.size() < 2 || path[0] != k_applications) return std::nullopt;
  return ApplicationPath{path[1], {path.begin() + 2, path.end()}};
}

Path without_application(const Path& path) {
  if (path.empty() || path[0] != k_applications) return path;
  auto own = application_path(path);
  return own ? std::move(own->rest) : Path{};
}

bool is_per_application(const Key& key) {
  const auto section = key.path.substr(0, key.path.rfind('.'));
  const auto sections = config_sections();
  const auto found = std::ranges::find(sections, section, &Section::pattern);
  return key.per_application || (found != sections.end() && found->per_application);
}

Overlays split_applications(std::vector<Assignment> assignments, std::vector<Problem>& problems) {
  Overlays overlays;
  for (Assignment& one : assignments) {
    if (one.path.empty() || one.path[0] != k_applications) {
      overlays.base.push_back(std::move(one));
      continue;
    }
    if (auto wrong = applications_wrong(one); !wrong.empty()) {
      problems.push_back({one.origin, show_path(one.path), {}, std::move(wrong)});
      continue;
    }
    auto own = application_path(one.path);
    if (!own) continue;
    overlays.first.emplace(own->name, one.origin);
    auto& mine = overlays.applications[own->name];
    if (!own->rest.empty()) {
      mine.push_back({std::move(own->rest), std::move(one.value), std::move(one.origin)});
    }
  }
  if (overlays.applications.size() > k_max_applications) {
    problems.push_back({overlays.first.begin()->second,
                        std::string(k_applications),
                        {},
                        "are more than " + std::to_string(k_max_applications)});
  }
  return overlays;
}

std::vector<Assignment> inherited_by_applications(const std::vector<Assignment>& base) {
  std::vector<Assignment> inherited;
  std::ranges::copy_if(base, std::back_inserter(inherited), [](const Assignment& one) {
    const auto* alone = std::ranges::find(k_never_inherited, show_path(one.path));
    return one.path[0] != "test_recipients" && alone == std::end(k_never_inherited);
  });
  return inherited;
}

}  // namespace otpd::app
