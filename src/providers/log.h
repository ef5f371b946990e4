// Log: prints messages instead of sending them. For development only.
#pragma once

#include <memory>

#include "delivery/provider.h"

namespace otpd::providers {

// The one place that writes codes and addresses to the log: it must be configured by name, and
// says so in the log when it is made. Accepts everything.
std::unique_ptr<delivery::Provider> make_log();

}  // namespace otpd::providers
