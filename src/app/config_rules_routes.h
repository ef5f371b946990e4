// The rules of routes and fallbacks.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// As requests spell it.
const char* name_of(PhoneChannel channel);

// What routes ask of the providers that they name, and fallbacks of routes.
void judge_routes(const RuleBench& bench);

}  // namespace otpd::app
