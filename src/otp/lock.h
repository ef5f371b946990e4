// Lock: wrong codes of one factor close it for a growing time.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace otpd::otp {

struct LockRule {
  std::uint32_t guesses = 5;  // wrong ones in a row that close it; at least 1
  Millis first{30'000};       // for how long; each further wrong one doubles it
  Millis longest{86'400'000};
};

// What is remembered of wrong codes. A right one forgets it all.
struct WrongCodes {
  std::uint32_t count = 0;  // in a row
  TimePoint closed_until{};
  bool operator==(const WrongCodes&) const = default;
};

// How long `count` wrong codes in a row close it; 0 below the rule's number.
Millis lock_length(const LockRule& rule, std::uint32_t count);

// How long it is still closed at `now`; 0: open. A clock that stepped back never makes it longer
// than its last wrong code did: the end is then moved, and the state is to be written.
Millis closed_for(WrongCodes& wrong, const LockRule& rule, TimePoint now);

// One more wrong code at `now`.
void count_wrong(WrongCodes& wrong, const LockRule& rule, TimePoint now);

// How many more wrong codes close it, once it is open; at least 1.
std::uint32_t guesses_left(const WrongCodes& wrong, const LockRule& rule);

}  // namespace otpd::otp
