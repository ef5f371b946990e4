#include "app/make_lanes.h"

#include "app/config_rules_routes.h"

namespace otpd::app {
namespace {

delivery::Legs to_legs(const std::vector<std::string>& written) {
  delivery::Legs legs;
  for (const std::string& leg : written) {
    const auto colon = leg.find(':');
    const bool weighted = colon != std::string::npos;
    legs.push_back({leg.substr(0, colon),
                    weighted ? static_cast<std::uint32_t>(std::stoul(leg.substr(colon + 1))) : 0});
  }
  return legs;
}

delivery::BreakerPolicy to_policy(const BreakerConfig& config) {
  return {.window = config.window,
          .min_volume = config.min_volume,
          .shift_error_rate = config.shift_error_percent / 100.0,
          .open_error_rate = config.open_error_percent / 100.0,
          .open_failures = config.open_failures,
          .open_p99 = config.open_p99,
          .open_for = config.open_for,
          .open_max = config.open_max};
}

}  // namespace

delivery::RouteTable make_routes(const Config& config) {
  delivery::RouteTable routes;
  const RoutesConfig& main = config.delivery.routes;
  for (const auto& [channel, legs] :
       {std::pair("sms", &main.sms), std::pair("voice", &main.voice),
        std::pair("whatsapp", &main.whatsapp), std::pair("email", &main.email)}) {
    if (!legs->empty()) routes.add(channel, "", to_legs(*legs));
  }
  for (const auto& [name, route] : config.prefix_routes) {
    for (const std::string& prefix : route.prefixes) {
      routes.add(name_of(route.channel), prefix, to_legs(route.lanes));
    }
  }
  return routes;
}

delivery::Lanes make_lanes(const Config& config, const Providers& providers, Metrics& metrics) {
  delivery::Lanes lanes;
  for (const auto& [name, provider] : providers) {
    const ProviderConfig& settings = config.providers.at(name);
    delivery::LaneConfig lane{.name = name,
                              .timeout = settings.timeout > Millis(0)
                                             ? settings.timeout
                                             : config.delivery.provider_timeout,
                              .in_flight = settings.max_in_flight,
                              .per_second = settings.max_per_second,
                              .breaker = to_policy(config.breaker)};
    if (config.delivery.receipts && provider->receipts() != nullptr &&
        !provider->receipts_by_message_id()) {
      lane.callback_url = config.server.public_url + "/callbacks/" + name;
    }
    lanes.emplace(name, std::make_unique<delivery::Lane>(*provider, std::move(lane), metrics));
  }
  return lanes;
}

}  // namespace otpd::app
