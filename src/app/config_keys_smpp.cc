#include <algorithm>

#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

// SMPP 3.4, section 4.1.1: C-octet strings of ASCII, here without their NUL.
bool smpp_is_text(std::string_view text, std::size_t max_bytes) {
  return text.size() <= max_bytes &&
         std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}
bool smpp_is_system_id(std::string_view text) {
  return smpp_is_text(text, 15);
}
bool smpp_is_password(std::string_view text) {
  return smpp_is_text(text, 8);
}
bool smpp_is_system_type(std::string_view text) {
  return smpp_is_text(text, 12);
}
bool smpp_is_sender(std::string_view text) {
  const auto digits = text.starts_with('+') ? text.substr(1) : text;
  const bool number =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  return number ? digits.size() <= 15 : text != "+" && smpp_is_text(text, 11);
}
bool smpp_is_ton(std::string_view text) {
  return text == "auto" || (text.size() == 1 && text[0] >= '0' && text[0] <= '6');
}
bool smpp_is_npi(std::string_view text) {
  constexpr std::string_view k_values[] = {"auto", "0", "1",  "3",  "4", "6",
                                           "8",    "9", "10", "14", "18"};
  return std::ranges::find(k_values, text) != std::end(k_values);
}

constexpr Key k_smpp_keys[] = {
    {.path = "providers.*.address",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::address>,
     .check = is_host_and_port,
     .form = "host:port",
     .kind = "smpp",
     .doc = "The carrier's SMSC."},
    {.path = "providers.*.tls",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::tls>,
     .kind = "smpp",
     .doc = "Whether to speak TLS from the first byte; the certificate must be the host's."},
    {.path = "providers.*.ca_file",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::ca_file>,
     .check = is_line,
     .form = "the path of a PEM file",
     .may_be_empty = true,
     .kind = "smpp",
     .doc = "PEM file of the authorities to trust; empty trusts the system's."},
    {.path = "providers.*.system_id",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::system_id>,
     .check = smpp_is_system_id,
     .form = "at most 15 ASCII characters",
     .kind = "smpp",
     .doc = "Who we bind as, as a transceiver."},
    {.path = "providers.*.password",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::password>,
     .check = smpp_is_password,
     .form = "at most 8 ASCII characters",
     .may_be_empty = true,
     .kind = "smpp",
     .doc = "That system's password; better in the environment than in the file."},
    {.path = "providers.*.system_type",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::system_type>,
     .check = smpp_is_system_type,
     .form = "at most 12 ASCII characters",
     .may_be_empty = true,
     .kind = "smpp",
     .doc = "What the SMSC wants to hear; most want nothing."},
    {.path = "providers.*.from",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::from>,
     .check = smpp_is_sender,
     .form = "a phone number, a short code, or a sender name of at most 11 ASCII characters",
     .kind = "smpp",
     .doc = "The sender."},
    {.path = "providers.*.source_ton",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::source_ton>,
     .check = smpp_is_ton,
     .form = "auto, or a digit from 0 to 6",
     .kind = "smpp",
     .doc = "The sender's type of number. \"auto\" takes 5 for a name, 3 for up to six digits, 1 "
            "for more."},
    {.path = "providers.*.source_npi",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::source_npi>,
     .check = smpp_is_npi,
     .form = "auto, or one of 0, 1, 3, 4, 6, 8, 9, 10, 14 and 18",
     .kind = "smpp",
     .doc = "The sender's numbering plan. \"auto\" takes 1 for a phone number, else 0."},
    {.path = "providers.*.window",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::window>,
     .min = 1,
     .max = 1'000,
     .unit = "messages",
     .kind = "smpp",
     .doc = "How many messages may be without an answer at once; ask the carrier."},
    {.path = "providers.*.enquire_link_s",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::enquire_link>,
     .min = 1,
     .max = 3'600,
     .unit = "seconds",
     .kind = "smpp",
     .doc = "After how long a silence we ask whether the SMSC is still there."},
    {.path = "providers.*.bind_timeout_ms",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::bind_timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .kind = "smpp",
     .doc = "For the connection, and for the answer to the bind."},
    {.path = "providers.*.hex_ids",
     .binding = each<&Config::providers, &ProviderConfig::smpp, &SmppConfig::hex_ids>,
     .choices = {"auto", "true", "false"},
     .kind = "smpp",
     .doc = "Whether the SMSC names a message in hexadecimal when it accepts it, and in decimal in "
            "its receipt. \"auto\" finds out."},
};

}  // namespace

std::span<const Key> smpp_keys() {
  return k_smpp_keys;
}

}  // namespace otpd::app
