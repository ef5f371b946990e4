// The rules of the endpoints for events.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config_rules_providers.h"
#include "app/config_source.h"

namespace otpd::app {

// An endpoint has secrets, is asked over https and answers within a lease.
void judge_webhooks(const RuleBench& bench);

// Settles whether an application's events go to the base one's endpoint: unless its own section
// `said` an endpoint, or none. What is only for an endpoint of its own is then an error.
void settle_webhooks(const std::vector<Assignment>& said, LoadedConfig& loaded, Problems& problems);

// Two applications never have one secret: whose endpoint knows it could forge the other's events.
void judge_webhook_secrets(const LoadedConfig& base, Problems& problems);

}  // namespace otpd::app
