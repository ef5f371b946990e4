#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <set>

#include "otp/recipient.h"

namespace otpd::otp {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::size_t k_max_phone_bytes = 64;
constexpr std::size_t k_max_e164_digits = 15;  // ITU-T E.164 section 6.1

// What people write between digits. Everything else is refused, so that no invisible character,
// letter or extension can make two names of one number.
constexpr std::string_view k_ascii_allowed = "0123456789+()-./ ";
constexpr std::string_view k_wide_allowed[] = {
    "\uff0b",                                                              // full-width plus
    "\uff10", "\uff11", "\uff12", "\uff13", "\uff14",                      // full-width digits
    "\uff15", "\uff16", "\uff17", "\uff18", "\uff19",                      //
    "\uff08", "\uff09", "\uff0d", "\uff0e", "\uff0f",                      // ( ) - . /
    "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015", "\u2212",  // dashes
    "\u00a0", "\u2009", "\u202f", "\u3000",                                // spaces
};

bool only_phone_characters(std::string_view text) {
  while (!text.empty()) {
    std::size_t width = k_ascii_allowed.contains(text.front()) ? 1 : 0;
    for (const std::string_view wide : k_wide_allowed) {
      if (text.starts_with(wide)) width = wide.size();
    }
    if (width == 0) return false;
    text.remove_prefix(width);
  }
  return true;
}

// The first two characters are the digit zero, in either width.
bool has_double_zero(std::string_view text, std::size_t& length) {
  length = 0;
  for (int i = 0; i < 2; ++i) {
    const std::string_view rest = text.substr(length);
    if (rest.starts_with("0")) {
      length += 1;
    } else if (rest.starts_with("\uff10")) {
      length += 3;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view listed_country(const Recipient& recipient) {
  if (recipient.kind != Recipient::Kind::phone) return {};
  return recipient.country.empty() ? k_no_country : recipient.country;
}

bool has_phones(std::string_view country) {
  static const std::set<std::string> known = [] {
    std::set<std::string> all;
    PhoneNumberUtil::GetInstance()->GetSupportedRegions(&all);
    return all;
  }();
  return known.contains(std::string(country));
}

Result<Recipient> parse_phone(std::string_view text, std::string_view default_region) {
  if (text.empty() || text.size() > k_max_phone_bytes || !only_phone_characters(text)) {
    return fail(Failure::invalid, "the number may hold digits, spaces and + ( ) - . / only");
  }
  const std::size_t start = text.find_first_not_of(' ');
  text.remove_prefix(start == std::string_view::npos ? text.size() : start);
  std::string number(text);
  std::size_t zeros = 0;
  if (has_double_zero(text, zeros)) number = "+" + std::string(text.substr(zeros));
  const bool international = number.starts_with('+') || number.starts_with("\uff0b");
  if (!international && default_region.empty()) {
    return fail(Failure::invalid, "the number needs its country code, like +1 415 555 2671");
  }

  static const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber parsed;
  const auto error =
      util.Parse(number, default_region.empty() ? "ZZ" : std::string(default_region), &parsed);
  wipe(number);
  // IsValidNumber would look for the region, which is the costly part, once more.
  Recipient recipient;
  if (error == PhoneNumberUtil::NO_PARSING_ERROR) {
    util.GetRegionCodeForNumber(parsed, &recipient.country);
  }
  if (error != PhoneNumberUtil::NO_PARSING_ERROR || parsed.has_extension() ||
      !util.IsValidNumberForRegion(parsed, recipient.country)) {
    return fail(Failure::invalid, "no such number exists; check the country code and the digits");
  }
  std::string e164;
  util.Format(parsed, PhoneNumberUtil::E164, &e164);
  // Some national plans, as libphonenumber knows them, are longer than any network dials.
  if (e164.size() > 1 + k_max_e164_digits) {
    return fail(Failure::invalid, "a number has at most 15 digits");
  }
  if (recipient.country.size() != 2) recipient.country.clear();  // "001": not of a country
  recipient.kind = Recipient::Kind::phone;
  recipient.address = Secret(std::string(e164));
  recipient.identity = Secret(std::move(e164));
  return recipient;
}

}  // namespace otpd::otp
