// Rules: what keys ask of one another, and what is derived from others when it is left empty.
#pragma once

#include <set>
#include <string>

#include "app/config_load.h"

namespace otpd::app {

// Fills in what is empty and follows from other keys.
void derive(LoadedConfig& loaded);

// Appends what contradicts something else to `problems`, and what is unwise to the warnings. A
// rule over a key in `failed` is not asked: its value is not the one that was meant.
void judge(LoadedConfig& loaded, const ConfigChecks& checks, const std::set<std::string>& failed,
           Problems& problems);

}  // namespace otpd::app
