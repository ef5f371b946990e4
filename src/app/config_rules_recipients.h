// The rules of test recipients.
#pragma once

#include "app/config_rules_providers.h"

namespace otpd::app {

// A test recipient has an address of its own, a code as long as others, and an end.
void judge_test_recipients(const RuleBench& bench);

}  // namespace otpd::app
