// The rules of who may call from a browser, and for which application.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// Every origin is for what is public, and an application that is public has pages.
void judge_origins(const RuleBench& bench);

// An origin is of one application: it says for which one a page calls.
void judge_shared_origins(const LoadedConfig& base, Problems& problems);

}  // namespace otpd::app
