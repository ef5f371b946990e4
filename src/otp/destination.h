// Destination: where messages are sent at all, by a phone's country and by what kind of line it
// is. Pure rules.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "otp/recipient.h"

namespace otpd::otp {

// The kinds that numbering plans know, as libphonenumber tells them apart. Where a plan cannot be
// told from the other, as in North America, a number is `fixed_line_or_mobile`.
enum class NumberType : std::uint8_t {
  fixed_line,
  mobile,
  fixed_line_or_mobile,
  toll_free,
  premium_rate,
  shared_cost,
  voip,
  personal_number,
  pager,
  uan,  // of a company, whichever of its lines answers
  voicemail,
  unknown,
};

// "fixed_line" and so on; and back.
std::string_view number_type_name(NumberType type);
std::optional<NumberType> parse_number_type(std::string_view name);

// Of a phone as parse_phone() gives it; `unknown` of anything else. Safe from any thread.
NumberType number_type(const Recipient& recipient);

// Countries as listed_country() names them.
struct Destinations {
  std::set<std::string, std::less<>> allowed_countries;  // empty: all that are not denied
  std::set<std::string, std::less<>> denied_countries;
  std::set<NumberType> denied_types;
};

// Why nothing is sent to that phone: "country_denied", "country_not_allowed", or a kind of line as
// "type_premium_rate". Empty if something is. E-mail goes everywhere.
std::string_view refusal(const Destinations& destinations, const Recipient& recipient);

}  // namespace otpd::otp
