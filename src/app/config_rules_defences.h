// The rules that keep what defends from being void.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// No value that one gives turns a defence off: a price of nothing, or a threshold that another
// limit keeps from ever being reached. The defaults may be beyond reach where that limit was made
// stricter than they are.
void judge_defences(const RuleBench& bench);

}  // namespace otpd::app
