// Times as text: RFC 3339, always in UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace otpd {

// Like "2025-01-31T08:30:00.250Z". For the years 0 to 9999.
std::string rfc3339(TimePoint time);

// The time, or nothing unless `text` is a UTC time ("Z") with no, or one to three, digits of a
// second's fraction. No leap seconds: they have no place in Unix time.
std::optional<TimePoint> parse_rfc3339(std::string_view text);

}  // namespace otpd
