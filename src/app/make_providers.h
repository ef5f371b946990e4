// From the configuration to the providers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "app/config.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::app {

// What providers are made with. All must outlive them.
struct ProviderPorts {
  boost::asio::io_context& loop;  // the client's
  net::Client& client;
  const Clock& clock;
  Random& random;
  // Who takes the receipts that come by connections of the provider of that name; empty: nobody.
  std::function<delivery::ReceiptSink(const std::string& provider)> receipts = {};
  // False: nothing is ever sent through them, and what would connect at once (SMPP) does not; they
  // only read receipts.
  bool sends = true;
};

// The providers of these names, which the configuration has. They run on the client's loop.
using Providers = std::map<std::string, std::unique_ptr<delivery::Provider>>;
Result<Providers> make_providers(const Config& config,
                                 const std::set<std::string, std::less<>>& names,
                                 const ProviderPorts& ports);

// One provider. Failure::invalid naming the setting that is missing or cannot be. It runs
// on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_provider(const ProviderConfig& config,
                                                          const ProviderPorts& ports,
                                                          const std::string& name);

}  // namespace otpd::app
