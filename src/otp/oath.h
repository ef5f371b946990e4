// OATH: the codes of authenticator apps and key fobs, HOTP (RFC 4226) and TOTP (RFC 6238). Pure
// functions of (secret, code, counter or time).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/mac.h"

namespace otpd::otp {

enum class OathType : std::uint8_t { totp = 1, hotp = 2 };

inline constexpr std::uint32_t k_min_oath_digits = 6;
inline constexpr std::uint32_t k_max_oath_digits = 8;

struct OathParams {
  OathType type = OathType::totp;
  crypto::Digest digest = crypto::Digest::sha1;  // or sha256, sha512
  std::uint32_t digits = 6;                      // k_min_oath_digits to k_max_oath_digits
  Seconds period{30};                            // of a time step; TOTP only, at least 1
  bool operator==(const OathParams&) const = default;
};

// The code of that counter or time step (RFC 4226 section 5.3).
Secret oath_code(const OathParams& params, std::string_view secret, std::uint64_t counter);

// In which time step `now` is (RFC 6238 section 4.2); 0 before 1970.
std::uint64_t time_step(const OathParams& params, TimePoint now);

// What a code was worth. `next` is the first counter or time step that may be accepted from now
// on; it changes only if the code was right, and never falls.
struct OathMatch {
  enum class How : std::uint8_t {
    wrong,
    used,  // right, but not for the first time: refused, and no guess
    right,
  };
  How how = How::wrong;
  std::uint64_t next = 0;
};

// Compares with the codes of the step before `now`, of `now` and of the one after it. A step below
// `next` is used, however often the clock steps back. Each comparison takes constant time, and all
// are made.
OathMatch match_totp(const OathParams& params, std::string_view secret, std::string_view code,
                     std::uint64_t next, TimePoint now);

// Compares with the codes of `next` to `next + look_ahead` (RFC 4226 section 7.4).
OathMatch match_hotp(const OathParams& params, std::string_view secret, std::string_view code,
                     std::uint64_t next, std::uint32_t look_ahead);

// Finds two consecutive codes at or after `next`, the first at `next + window` at most: two may be
// looked for much farther than one, for nobody guesses both.
OathMatch match_hotp_pair(const OathParams& params, std::string_view secret, std::string_view code,
                          std::string_view following_code, std::uint64_t next,
                          std::uint32_t window);

}  // namespace otpd::otp
