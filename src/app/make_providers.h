// From the configuration to the providers.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/config.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/provider.h"
#include "delivery/route.h"
#include "net/client.h"

namespace otpd::app {

// The providers that a route uses, by name. They run on the client's loop.
using Providers = std::map<std::string, std::unique_ptr<delivery::Provider>>;
Result<Providers> make_providers(const Config& config, const delivery::RouteTable& routes,
                                 net::Client& client, const Clock& clock);

// One provider. Failure::invalid naming the setting that is missing or cannot be. `client` and
// `clock` must outlive it; it runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_provider(const ProviderConfig& config,
                                                          net::Client& client, const Clock& clock);

}  // namespace otpd::app
