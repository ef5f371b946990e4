// Lanes over scripted carriers, with routes and the dispatcher that asks them.
#pragma once

#include "carrier.h"
#include "delivery/dispatcher.h"

namespace otpd::usecase {

// Never opens, but for a moment when its carrier is misconfigured.
inline delivery::BreakerPolicy patient() {
  return {.min_volume = 1'000'000,
          .open_failures = 1'000'000,
          .open_for = Millis(1),
          .open_max = Millis(1)};
}

class TestLanes {
 public:
  TestLanes(const Clock& clock, Random& random, Metrics& metrics)
      : metrics_(metrics), dispatcher(lanes, routes, clock, random) {}

  delivery::Lane& add(delivery::Provider& carrier, delivery::LaneConfig config) {
    const std::string name = config.name;
    auto made = std::make_unique<delivery::Lane>(carrier, std::move(config), metrics_);
    return *lanes.emplace(name, std::move(made)).first->second;
  }

 private:
  Metrics& metrics_;

 public:
  delivery::Lanes lanes;
  delivery::RouteTable routes;
  delivery::Dispatcher dispatcher;
};

}  // namespace otpd::usecase
