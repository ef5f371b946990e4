#include "app/config_rules_webhooks.h"

#include <algorithm>
#include <map>

#include "app/config_forms.h"

namespace otpd::app {
namespace {

const Path k_webhooks_url{"webhooks", "url"};

// The secrets of an endpoint, one by one. Their owner outlives them.
std::vector<std::string_view> webhook_secrets_of(const Config& config) {
  std::vector<std::string_view> all;
  std::string_view text = config.webhooks.secrets.reveal();
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    all.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

}  // namespace

void judge_webhooks(const RuleBench& bench) {
  const auto& webhooks = bench.config().webhooks;
  const auto url = parse_url(webhooks.url);
  if (!url) return;
  if (webhooks.secrets.empty()) {
    bench.refuse("webhooks.secrets", {"webhooks.url"},
                 "is missing: nobody could tell your events from forged ones");
  }
  if (url->scheme != "https" && !webhooks.allow_private) {
    bench.refuse("webhooks.url", {"webhooks.allow_private"},
                 "must be https, unless webhooks.allow_private is true");
  }
  if (bench.config().delivery.lease <= webhooks.timeout) {
    bench.refuse("webhooks.timeout_ms", {"delivery.lease_s"},
                 "must be shorter than delivery.lease_s, or an event would be posted twice");
  }
}

void settle_webhooks(const std::vector<Assignment>& said, LoadedConfig& loaded,
                     Problems& problems) {
  auto& webhooks = loaded.config.webhooks;
  webhooks.shared = !loaded.origins.contains(show_path(k_webhooks_url));
  const bool told = std::ranges::find(said, k_webhooks_url, &Assignment::path) != said.end();
  if (!webhooks.url.empty() || (told && webhooks.shared)) return;
  for (const Assignment& one : said) {
    if (one.path.size() != 2 || one.path[0] != "webhooks") continue;
    if (one.path[1] == "url" || one.path[1] == "events") continue;
    problems.push_back({one.origin,
                        show_path(one.path),
                        {},
                        "is for an endpoint of the application's own, and webhooks.url names none "
                        "there"});
  }
}

void judge_webhook_secrets(const LoadedConfig& base, Problems& problems) {
  std::map<std::string_view, std::string> owners;
  for (const auto secret : webhook_secrets_of(base.config)) {
    owners.emplace(secret, base.config.otp.application);
  }
  for (const auto& [name, config] : base.config.applications) {
    for (const auto secret : webhook_secrets_of(*config)) {
      const auto [owner, fresh] = owners.emplace(secret, name);
      if (fresh || owner->second == name) continue;
      const auto& origins = base.application_origins.at(name);
      const auto origin = origins.find("webhooks.secrets");
      problems.push_back({origin == origins.end() ? Origin{} : origin->second,
                          "applications." + name + ".webhooks.secrets",
                          {},
                          "has a secret of the application " + owner->second +
                              ": who knows it could forge the other's events"});
    }
  }
}

}  // namespace otpd::app
