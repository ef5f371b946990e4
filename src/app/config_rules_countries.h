// The rules of countries.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// Every country that is named is one whose phone numbers are known, so that no list and no limit
// is about nobody; "ZZ", the numbers of no country, may stand in both.
void judge_countries(const RuleBench& bench);

}  // namespace otpd::app
