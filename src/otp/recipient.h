// Recipient: a phone or an e-mail address in its one normal form. Every human spelling of one
// number is one recipient, before any limit looks at it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace otpd::otp {

struct Recipient {
  enum class Kind : std::uint8_t { phone, email };
  Kind kind = Kind::phone;
  Secret address;       // where messages go: E.164, or the e-mail address
  Secret identity;      // what limits and verifications know it by; never shown
  std::string country;  // ISO 3166-1 alpha-2 of a phone (libphonenumber's region), or empty
};

// What lists and limits of countries call phones of no country (satellite, international
// freephone).
inline constexpr std::string_view k_no_country = "ZZ";

// The name that lists and limits of countries have for it: of a phone its country or k_no_country,
// of an e-mail address nothing.
std::string_view listed_country(const Recipient& recipient);

// Whether phone numbers of that country (ISO 3166-1 alpha-2) are known; not of k_no_country. Safe
// from any thread.
bool has_phones(std::string_view country);

// A phone in any human form with a country code: `+1 (415) 555-2671`, `0014155552671`, full-width
// digits; without a country code only if `default_region` (ISO 3166-1 alpha-2) is not empty.
// Failure::invalid, with a message for the caller, for anything else: letters, extensions,
// invisible or control characters, numbers that no network has assigned. Safe from any thread.
Result<Recipient> parse_phone(std::string_view text, std::string_view default_region);

// An e-mail address (RFC 5321 dot-string local part, ASCII). The identity ignores case, and dots
// and +tags where the provider does (Gmail). Failure::invalid for anything else.
Result<Recipient> parse_email(std::string_view text);

}  // namespace otpd::otp
