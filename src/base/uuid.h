// UUIDs as text: RFC 9562.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace otpd {

// A version 7 UUID (RFC 9562 section 5.7), lower case: ordered by `now`, then random.
std::string uuid_v7(TimePoint now, Random& random);

// A version 8 UUID (RFC 9562 section 5.8) over the first 16 of `bytes` (at least 16).
std::string uuid_v8(std::string_view bytes);

// `text` in lower case if it is a UUID in the 8-4-4-4-12 form, of any version; else nothing.
std::optional<std::string> parse_uuid(std::string_view text);

}  // namespace otpd
