// Limit: an exact sliding-window log. "At most N in any window of W", with no edge to game.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace otpd::otp {

struct Limit {
  std::uint32_t max = 1;  // at least 1: there is no value that means "unlimited"
  Millis window{0};
};

// The times of what was let through, oldest first.
using TimeLog = std::vector<TimePoint>;

struct LimitVerdict {
  bool allowed = false;
  std::uint32_t remaining = 0;  // how many more would be allowed after this one
  Millis retry_after{0};        // until one would be allowed; 0 if allowed
  Millis reset{0};              // until the oldest counted entry leaves the window
};

// Whether one more is allowed at `now`. An entry counts while `now < entry + window`. Drops what
// no longer counts. A clock that stepped back leaves entries in the future: they are moved to
// `now`, so a wrong clock can lock for one window at the most and never lets one more through.
LimitVerdict check_limit(TimeLog& log, const Limit& limit, TimePoint now);

// Records one that was let through at `now`, after check_limit at the same `now`.
void charge(TimeLog& log, TimePoint now);

// A country, and when something was last sent there.
struct CountryAt {
  std::string country;
  TimePoint at;
  bool operator==(const CountryAt&) const = default;
};
using CountryLog = std::vector<CountryAt>;

// How long until one more country is free for who has sent to those in the log, at most `max` of
// them in any window; 0 if this one is free, as one that is in the log always is. Drops what no
// longer counts; a clock that stepped back moves entries to `now`.
Millis check_countries(CountryLog& log, const Limit& limit, std::string_view country,
                       TimePoint now);

// Records that something is sent there at `now`, after check_countries at the same `now`.
void note_country(CountryLog& log, std::string_view country, TimePoint now);

// The name under which a client's address is limited: an IPv4 address itself, an IPv6 address by
// its /64 (what one subscriber has), an IPv4-mapped IPv6 address as the IPv4. Every spelling of
// one address gives the same name. Empty if `address` is not an address.
std::string ip_bucket(std::string_view address);

}  // namespace otpd::otp
