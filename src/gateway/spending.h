// Spending: what the messages of an application cost, for the metrics.
#pragma once

#include <string>

#include "gateway/service.h"

namespace otpd::gateway {

// Counts what was sent to a phone of that country, by the price list. Countries are a fixed set.
void count_spent(const Service& service, const Application& app, const std::string& country,
                 const otp::SendOutcome& outcome);

}  // namespace otpd::gateway
