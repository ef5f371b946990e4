// Spending: what the messages of an application cost, for the metrics.
#pragma once

#include <string>

#include "base/metrics.h"
#include "otp/caps.h"

namespace otpd::otp {

// Counts what was charged for a message to a phone of that country. Countries are a fixed set.
void count_spent(Metrics& metrics, const std::string& application, const std::string& country,
                 Micros price);

}  // namespace otpd::otp
