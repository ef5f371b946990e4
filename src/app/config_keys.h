// The rows of the key table, by part. See config_key.h.
#pragma once

#include <span>

#include "app/config_key.h"

namespace otpd::app {

std::span<const Key> server_keys();     // server, data, crypto, audit, auth, demo, testing, log
std::span<const Key> otp_keys();        // otp, purposes, limits, session, factors
std::span<const Key> recipient_keys();  // destinations, test_recipients
std::span<const Key> cap_keys();        // destinations (how many), pumping, budget
std::span<const Key> delivery_keys();   // delivery, messages
std::span<const Key> route_keys();      // delivery.routes, prefix_routes, fallback, breaker
std::span<const Key> provider_keys();   // providers, except the kind http
std::span<const Key> http_keys();       // providers of the kind http
std::span<const Key> webhook_keys();    // webhooks
std::span<const Key> cluster_keys();    // redis, postgres, cluster
std::span<const Key> smpp_keys();       // providers of the kind smpp

}  // namespace otpd::app
