// The rules of caps, budgets and the pumping guard.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// Nothing is capped twice, and the times of the pumping guard fit one another.
void judge_caps(const RuleBench& bench);

}  // namespace otpd::app
