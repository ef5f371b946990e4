// What operators see of an application's caps.
#pragma once

#include <nlohmann/json.hpp>

#include "otp/caps.h"

namespace otpd::gateway {

// What the application may send and spend: {currency, application: {sends_per_hour, sends_per_day,
// spent_per_day}}, each cap {max, shadow}; with `all` also by country, prefix and block of numbers,
// and the prices, by prefix ("+44"), channel ("voice") or both ("voice:+44").
nlohmann::ordered_json caps_json(const otp::CapRules& caps, bool all);

}  // namespace otpd::gateway
