#include "app/config_forms.h"
#include "app/config_keys.h"
#include "otp/destination.h"
#include "otp/recipient.h"

namespace otpd::app {
namespace {

bool recipient_is_number_type(std::string_view text) {
  return otp::parse_number_type(text).has_value();
}

// Spelled as it is kept, so that nobody wonders which number is meant.
bool recipient_is_address(std::string_view text) {
  const auto phone = otp::parse_phone(text, "");
  if (phone) return phone->address.reveal() == text;
  return otp::parse_email(text).has_value();
}

bool recipient_is_code(std::string_view text) {
  return text.size() >= 4 && text.size() <= 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

constexpr std::string_view k_countries_form =
    "ISO 3166 country codes in capitals, such as US and DE, or ZZ";
constexpr std::string_view k_types_form =
    "kinds of numbers: fixed_line, mobile, fixed_line_or_mobile, toll_free, premium_rate, "
    "shared_cost, voip, personal_number, pager, uan, voicemail, unknown";

constexpr Key k_recipient_keys[] = {
    {.path = "destinations.allowed_countries",
     .binding = at<&Config::destinations, &DestinationsConfig::allowed_countries>,
     .check = is_region,
     .form = k_countries_form,
     .doc =
         "The countries of the phones that are served. Empty: all that are not denied. ZZ is for "
         "numbers of none: satellite phones, international freephone."},
    {.path = "destinations.denied_countries",
     .binding = at<&Config::destinations, &DestinationsConfig::denied_countries>,
     .check = is_region,
     .form = k_countries_form,
     .doc = "The countries of the phones that are not. ZZ is for numbers of none."},
    {.path = "destinations.denied_types",
     .binding = at<&Config::destinations, &DestinationsConfig::denied_types>,
     .check = recipient_is_number_type,
     .form = k_types_form,
     .doc = "The kinds of numbers that are not served, as the numbering plans tell them apart. In "
            "North America they do not: its numbers are fixed_line_or_mobile."},
    {.path = "destinations.shadow",
     .binding = at<&Config::destinations, &DestinationsConfig::shadow>,
     .doc = "Whether to refuse nothing, and only record in the audit log what would be refused "
            "(not_allowed_shadow)."},

    {.path = "test_recipients.*.address",
     .binding = each<&Config::test_recipients, &TestRecipientConfig::address>,
     .check = recipient_is_address,
     .form = "a phone number as +14155552671, or an e-mail address",
     .may_be_empty = true,
     .doc = "The phone or the mailbox. Nothing is ever sent there."},
    {.path = "test_recipients.*.code",
     .binding = each<&Config::test_recipients, &TestRecipientConfig::code>,
     .check = recipient_is_code,
     .form = "4 to 10 digits",
     .may_be_empty = true,
     .doc = "The code of every send to it, with as many digits as codes of a purpose have. Whoever "
            "knows it can log in as this recipient."},
    {.path = "test_recipients.*.expires_on",
     .binding = each<&Config::test_recipients, &TestRecipientConfig::expires_on>,
     .check = is_date,
     .form = "a day, such as 2026-12-31",
     .may_be_empty = true,
     .doc = "The last day (UTC) on which it is one. Must be said."},
};

}  // namespace

std::span<const Key> recipient_keys() {
  return k_recipient_keys;
}

}  // namespace otpd::app
