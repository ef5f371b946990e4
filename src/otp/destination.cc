#include "otp/destination.h"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <iterator>

namespace otpd::otp {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::string_view k_type_prefix = "type_";

// In the order of NumberType.
constexpr std::string_view k_type_refusals[] = {
    "type_fixed_line", "type_mobile",          "type_fixed_line_or_mobile",
    "type_toll_free",  "type_premium_rate",    "type_shared_cost",
    "type_voip",       "type_personal_number", "type_pager",
    "type_uan",        "type_voicemail",       "type_unknown",
};
static_assert(std::size(k_type_refusals) == static_cast<std::size_t>(NumberType::unknown) + 1);

NumberType of_library(PhoneNumberUtil::PhoneNumberType type) {
  switch (type) {
    case PhoneNumberUtil::FIXED_LINE:
      return NumberType::fixed_line;
    case PhoneNumberUtil::MOBILE:
      return NumberType::mobile;
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
      return NumberType::fixed_line_or_mobile;
    case PhoneNumberUtil::TOLL_FREE:
      return NumberType::toll_free;
    case PhoneNumberUtil::PREMIUM_RATE:
      return NumberType::premium_rate;
    case PhoneNumberUtil::SHARED_COST:
      return NumberType::shared_cost;
    case PhoneNumberUtil::VOIP:
      return NumberType::voip;
    case PhoneNumberUtil::PERSONAL_NUMBER:
      return NumberType::personal_number;
    case PhoneNumberUtil::PAGER:
      return NumberType::pager;
    case PhoneNumberUtil::UAN:
      return NumberType::uan;
    case PhoneNumberUtil::VOICEMAIL:
      return NumberType::voicemail;
    case PhoneNumberUtil::UNKNOWN:
      break;
  }
  return NumberType::unknown;
}

std::string_view type_refusal(NumberType type) {
  return k_type_refusals[static_cast<std::size_t>(type)];
}

}  // namespace

std::string_view number_type_name(NumberType type) {
  return type_refusal(type).substr(k_type_prefix.size());
}

std::optional<NumberType> parse_number_type(std::string_view name) {
  const auto found = std::ranges::find_if(k_type_refusals, [&](std::string_view refusal) {
    return refusal.substr(k_type_prefix.size()) == name;
  });
  if (found == std::end(k_type_refusals)) return std::nullopt;
  return static_cast<NumberType>(found - std::begin(k_type_refusals));
}

NumberType number_type(const Recipient& recipient) {
  if (recipient.kind != Recipient::Kind::phone) return NumberType::unknown;
  static const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  std::string number(recipient.address.reveal());
  PhoneNumber parsed;
  const auto error = util.Parse(number, "ZZ", &parsed);
  wipe(number);
  if (error != PhoneNumberUtil::NO_PARSING_ERROR) return NumberType::unknown;
  return of_library(util.GetNumberType(parsed));
}

std::string_view refusal(const Destinations& destinations, const Recipient& recipient) {
  if (recipient.kind != Recipient::Kind::phone) return {};
  const std::string_view country = listed_country(recipient);
  if (destinations.denied_countries.contains(country)) return "country_denied";
  if (!destinations.allowed_countries.empty() &&
      !destinations.allowed_countries.contains(country)) {
    return "country_not_allowed";
  }
  if (destinations.denied_types.empty()) return {};  // the type costs a look at the plan
  const NumberType type = number_type(recipient);
  return destinations.denied_types.contains(type) ? type_refusal(type) : std::string_view();
}

}  // namespace otpd::otp
