#include "app/config_rules_routes.h"

#include <vector>

namespace otpd::app {
namespace {

Millis timeout_of(const Config& config, const std::string& leg) {
  const auto found = config.providers.find(leg.substr(0, leg.find(':')));
  const bool own = found != config.providers.end() && found->second.timeout > Millis(0);
  return own ? found->second.timeout : config.delivery.provider_timeout;
}

void rule_leg(const RuleBench& bench, const std::string& path, const std::string& channel,
              const std::string& leg) {
  const std::string provider = leg.substr(0, leg.find(':'));
  const auto found = bench.config().providers.find(provider);
  if (found == bench.config().providers.end()) {
    std::vector<std::string> known;
    for (const auto& [name, _] : bench.config().providers) known.push_back(name);
    bench.refuse(path, {}, "there is no [providers." + provider + "]" + suggest(provider, known));
    return;
  }
  if (!can_carry(found->second.kind, channel)) {
    bench.refuse(path, {"providers." + provider + ".kind"},
                 "a provider of kind " + provider_kind("providers.*", {provider}, bench.config()) +
                     " cannot carry this channel");
  }
  if (found->second.kind == ProviderKind::log) {
    bench.warn(path + " goes to a provider of kind log: codes are printed to the log");
  }
}

void rule_legs(const RuleBench& bench, const std::string& path, const std::string& channel,
               const std::vector<std::string>& legs) {
  std::set<std::string> seen;
  std::size_t weighted = 0;
  for (const std::string& leg : legs) {
    rule_leg(bench, path, channel, leg);
    if (!seen.insert(leg.substr(0, leg.find(':'))).second) {
      bench.refuse(path, {}, "must name a provider once only");
    }
    weighted += leg.contains(':') ? 1 : 0;
  }
  if (weighted != 0 && weighted != legs.size()) {
    bench.refuse(path, {}, "must give a weight to every provider or to none");
  }
  Millis all{0};
  for (const std::string& leg : legs) all += timeout_of(bench.config(), leg);
  if (legs.size() > 1 && bench.config().delivery.lease <= all) {
    bench.refuse(path, {"delivery.lease_s"},
                 "has so many providers that asking them all may take longer than "
                 "delivery.lease_s, and a message would be sent twice");
  }
}

void rule_routes(const RuleBench& bench) {
  const auto& routes = bench.config().delivery.routes;
  rule_legs(bench, "delivery.routes.sms", "sms", routes.sms);
  rule_legs(bench, "delivery.routes.voice", "voice", routes.voice);
  rule_legs(bench, "delivery.routes.whatsapp", "whatsapp", routes.whatsapp);
  rule_legs(bench, "delivery.routes.email", "email", routes.email);
  for (const auto& [name, route] : bench.config().prefix_routes) {
    const std::string path = "prefix_routes." + name + ".";
    if (route.prefixes.empty()) bench.refuse(path + "prefixes", {}, "must not be empty");
    if (route.lanes.empty()) bench.refuse(path + "lanes", {}, "must not be empty");
    rule_legs(bench, path + "lanes", name_of(route.channel), route.lanes);
  }
}

// The channel that follows must be offered.
void rule_fallback(const RuleBench& bench) {
  const auto& config = bench.config();
  const auto& routes = config.delivery.routes;
  const auto check = [&](const std::string& key, bool voice, bool other, const auto& legs,
                         const std::string& name) {
    if ((voice && routes.voice.empty()) || (other && legs.empty())) {
      bench.refuse(key, {"delivery.routes." + (voice ? std::string("voice") : name)},
                   "names a channel that has no route");
    }
  };
  check("fallback.sms", config.fallback.sms == AfterSms::voice,
        config.fallback.sms == AfterSms::whatsapp, routes.whatsapp, "whatsapp");
  check("fallback.whatsapp", config.fallback.whatsapp == AfterWhatsapp::voice,
        config.fallback.whatsapp == AfterWhatsapp::sms, routes.sms, "sms");
}

}  // namespace

const char* name_of(PhoneChannel channel) {
  constexpr const char* names[] = {"sms", "voice", "whatsapp"};
  return names[static_cast<std::size_t>(channel)];
}

void judge_routes(const RuleBench& bench) {
  rule_routes(bench);
  rule_fallback(bench);
}

}  // namespace otpd::app
