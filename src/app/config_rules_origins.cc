#include "app/config_rules_origins.h"

#include <algorithm>
#include <map>

namespace otpd::app {

void judge_origins(const RuleBench& bench) {
  const auto& auth = bench.config().auth;
  const bool any = std::ranges::find(auth.cors_origins, "*") != auth.cors_origins.end();
  if (bench.loaded.is_overlay) {
    if (any) {
      bench.refuse("auth.cors_origins", {},
                   "has \"*\", which could not say whose a page is: name the origins");
    }
    if (auth.open_to_public && auth.cors_origins.empty()) {
      bench.refuse("auth.public", {"auth.cors_origins"},
                   "needs auth.cors_origins: a caller without an API key is known by the origin "
                   "of its page");
    }
    return;
  }
  if (any && !auth.open_to_public) {
    bench.refuse("auth.cors_origins", {"auth.public"},
                 "has \"*\", which is for auth.public = true only: without it, name the origins");
  }
}

void judge_shared_origins(const LoadedConfig& base, Problems& problems) {
  std::map<std::string_view, std::string> owners;
  for (const std::string& origin : base.config.auth.cors_origins) {
    owners.emplace(origin, base.config.otp.application);
  }
  for (const auto& [name, config] : base.config.applications) {
    for (const std::string& origin : config->auth.cors_origins) {
      const auto [owner, fresh] = owners.emplace(origin, name);
      if (fresh || owner->second == name || origin == "*") continue;
      const auto& origins = base.application_origins.at(name);
      const auto found = origins.find("auth.cors_origins");
      problems.push_back({found == origins.end() ? Origin{} : found->second,
                          "applications." + name + ".auth.cors_origins",
                          {},
                          "has " + origin + ", which is an origin of the application " +
                              owner->second + ": a page calls for one application only"});
    }
  }
}

}  // namespace otpd::app
