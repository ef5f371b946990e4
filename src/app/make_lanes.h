// From the configuration to routes and lanes.
#pragma once

#include "app/config.h"
#include "app/make_providers.h"
#include "base/metrics.h"
#include "delivery/dispatcher.h"

namespace otpd::app {

delivery::RouteTable make_routes(const Config& config);

// A lane for each provider, which it refers to.
delivery::Lanes make_lanes(const Config& config, const Providers& providers, Metrics& metrics);

}  // namespace otpd::app
