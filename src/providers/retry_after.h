// The Retry-After field of an HTTP answer.
#pragma once

#include <optional>

#include "base/clock.h"
#include "net/http_message.h"

namespace otpd::providers {

// How long to wait by RFC 9110 section 10.2.3: seconds, or a date, which is read against the
// answer's own Date if it has one (clocks differ), else against `now`. Between 0 and a day;
// nothing if the field is missing or cannot be read.
std::optional<Millis> retry_after(const net::Headers& headers, TimePoint now);

}  // namespace otpd::providers
