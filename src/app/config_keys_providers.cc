#include "app/config_forms.h"
#include "app/config_keys.h"
#include "crypto/standard_webhooks.h"

namespace otpd::app {
namespace {

bool provider_is_sender(std::string_view text) {
  return text.size() <= 64 && is_line(text);
}
bool provider_is_credential(std::string_view text) {
  return text.size() <= 512 && is_line(text);
}
bool provider_is_token(std::string_view text) {
  return text.size() <= 4'096 && is_line(text);
}
bool provider_all(std::string_view text, std::size_t max_bytes, std::string_view allowed) {
  return text.size() <= max_bytes && text.find_first_not_of(allowed) == text.npos;
}

constexpr std::string_view k_provider_digits = "0123456789";
constexpr std::string_view k_provider_lower = "abcdefghijklmnopqrstuvwxyz0123456789_";
constexpr std::string_view k_provider_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool provider_is_number(std::string_view text) {
  return provider_all(text, 32, k_provider_digits);
}
bool provider_is_region(std::string_view text) {
  return provider_all(text, 32, "abcdefghijklmnopqrstuvwxyz0123456789-");
}
bool provider_is_version(std::string_view text) {
  return text.size() > 1 && text[0] == 'v' && provider_all(text.substr(1), 8, "0123456789.");
}
bool provider_is_template(std::string_view text) {
  return provider_all(text, 512, k_provider_lower);
}
bool provider_is_language(std::string_view text) {
  return provider_all(text, 16, std::string(k_provider_letters) + "_");
}
bool provider_is_sender_id(std::string_view text) {
  return text.size() >= 3 && text.find_first_of(k_provider_letters) != text.npos &&
         provider_all(text, 11, std::string(k_provider_letters) + std::string(k_provider_digits));
}
bool provider_is_url(std::string_view text) {
  const auto url = parse_url(text);
  return url && (url->scheme == "http" || url->scheme == "https");
}
bool provider_are_webhook_secrets(std::string_view text) {
  return crypto::WebhookKeys::make(text).has_value();
}

constexpr Key k_provider_keys[] = {
    {.path = "providers.*.kind",
     .binding = each<&Config::providers, &ProviderConfig::kind>,
     .choices = {"twilio", "vonage", "sns", "smpp", "smtp", "whatsapp", "http", "webhook", "log"},
     .doc = "The protocol, which decides about the other keys. A provider that you add must say "
            "it. \"log\" prints messages, codes included, and is for development only."},
    {.path = "providers.*.timeout_ms",
     .binding = each<&Config::providers, &ProviderConfig::timeout>,
     .min = 0,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "How long this provider may take to answer; 0 is delivery.provider_timeout_ms."},
    {.path = "providers.*.max_in_flight",
     .binding = each<&Config::providers, &ProviderConfig::max_in_flight>,
     .min = 1,
     .max = 10'000,
     .unit = "messages",
     .doc = "Messages that are being handed to this provider at once."},
    {.path = "providers.*.max_per_second",
     .binding = each<&Config::providers, &ProviderConfig::max_per_second>,
     .min = 1,
     .max = 100'000,
     .unit = "messages",
     .doc = "Messages handed to this provider in a second. What is more goes to the next provider "
            "of the route, or waits."},
    {.path = "providers.*.base_url",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::base_url>,
     .check = is_base_url,
     .form = "an http:// or https:// URL without query, fragment and trailing slash",
     .kind = "twilio",
     .doc = "Twilio's API: https://api.twilio.com, or the simulator."},
    {.path = "providers.*.account_sid",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::account_sid>,
     .check = is_account_sid,
     .form = "AC and 32 lower-case hexadecimal digits",
     .kind = "twilio",
     .doc = "The account."},
    {.path = "providers.*.auth_token",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::auth_token>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "twilio",
     .doc = "The account's secret; better in the environment than in the file."},
    {.path = "providers.*.api_key_sid",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::api_key_sid>,
     .check = is_api_key_sid,
     .form = "SK and 32 lower-case hexadecimal digits",
     .may_be_empty = true,
     .kind = "twilio",
     .doc = "An API key to sign in with instead of the account; auth_token still proves receipts."},
    {.path = "providers.*.api_key_secret",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::api_key_secret>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "twilio",
     .doc = "That key's secret."},
    {.path = "providers.*.from",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::from>,
     .check = provider_is_sender,
     .form = "a phone number such as +15005550006 or a sender name of at most 64 bytes",
     .may_be_empty = true,
     .kind = "twilio",
     .doc = "The sender. Empty only with a messaging service."},
    {.path = "providers.*.messaging_service_sid",
     .binding =
         each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::messaging_service_sid>,
     .check = is_messaging_service_sid,
     .form = "MG and 32 lower-case hexadecimal digits",
     .may_be_empty = true,
     .kind = "twilio",
     .doc = "The messaging service that chooses the sender instead."},
    {.path = "providers.*.url",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::url>,
     .check = is_smtp_url,
     .form = "smtp://host:port or smtps://host:port",
     .kind = "smtp",
     .doc = "The mail server. smtps is TLS from the first byte."},
    {.path = "providers.*.user",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::user>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "smtp",
     .doc = "The user to log in as; empty does not log in."},
    {.path = "providers.*.password",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::password>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "smtp",
     .doc = "That user's password; better in the environment than in the file."},
    {.path = "providers.*.from",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::from>,
     .check = is_mailbox,
     .form = "an address such as name <user@example.com>",
     .kind = "smtp",
     .doc = "The sender."},
    {.path = "providers.*.require_tls",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::require_tls>,
     .kind = "smtp",
     .doc = "Whether to send nothing if the server offers no STARTTLS. Where user is set and this "
            "is not, "
            "it is true."},
    {.path = "providers.*.ca_file",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::ca_file>,
     .check = is_line,
     .form = "the path of a PEM file",
     .may_be_empty = true,
     .kind = "smtp",
     .doc = "PEM file of the authorities to trust; empty trusts the system's."},

    {.path = "providers.*.base_url",
     .binding =
         each<&Config::providers, &ProviderConfig::vonage, &providers::VonageConfig::base_url>,
     .check = is_base_url,
     .form = "an http:// or https:// URL without query, fragment and trailing slash",
     .kind = "vonage",
     .doc = "Vonage's API."},
    {.path = "providers.*.api_key",
     .binding =
         each<&Config::providers, &ProviderConfig::vonage, &providers::VonageConfig::api_key>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "vonage",
     .doc = "The account's key."},
    {.path = "providers.*.api_secret",
     .binding =
         each<&Config::providers, &ProviderConfig::vonage, &providers::VonageConfig::api_secret>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "vonage",
     .doc = "The account's secret; better in the environment than in the file."},
    {.path = "providers.*.from",
     .binding = each<&Config::providers, &ProviderConfig::vonage, &providers::VonageConfig::from>,
     .check = provider_is_sender,
     .form = "a phone number or a sender name of at most 64 bytes",
     .kind = "vonage",
     .doc = "The sender."},
    {.path = "providers.*.signature_secret",
     .binding = each<&Config::providers, &ProviderConfig::vonage,
                     &providers::VonageConfig::signature_secret>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "vonage",
     .doc = "The account's signature secret, which proves receipts; empty believes none."},
    {.path = "providers.*.signature",
     .binding =
         each<&Config::providers, &ProviderConfig::vonage, &providers::VonageConfig::signature>,
     .choices = {"md5_hash", "md5", "sha1", "sha256", "sha512"},
     .kind = "vonage",
     .doc = "How the account signs receipts."},
    {.path = "providers.*.region",
     .binding = each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::region>,
     .check = provider_is_region,
     .form = "an AWS region such as eu-west-1",
     .kind = "sns",
     .doc = "The region that sends."},
    {.path = "providers.*.base_url",
     .binding = each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::base_url>,
     .check = is_base_url,
     .form = "an http:// or https:// URL without query, fragment and trailing slash",
     .may_be_empty = true,
     .kind = "sns",
     .doc = "The service's URL; empty is the region's own."},
    {.path = "providers.*.access_key_id",
     .binding =
         each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::access_key_id>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "sns",
     .doc = "The access key."},
    {.path = "providers.*.secret_access_key",
     .binding =
         each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::secret_access_key>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "sns",
     .doc = "That key's secret; better in the environment than in the file."},
    {.path = "providers.*.session_token",
     .binding =
         each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::session_token>,
     .check = provider_is_token,
     .form = "a line of at most 4096 bytes",
     .may_be_empty = true,
     .kind = "sns",
     .doc = "The session token of temporary credentials."},
    {.path = "providers.*.sender_id",
     .binding = each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::sender_id>,
     .check = provider_is_sender_id,
     .form = "3 to 11 letters and digits, a letter among them",
     .may_be_empty = true,
     .kind = "sns",
     .doc = "The sender's name, where a country allows one."},
    {.path = "providers.*.origination_number",
     .binding =
         each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::origination_number>,
     .check = provider_is_sender,
     .form = "a phone number such as +15005550006",
     .may_be_empty = true,
     .kind = "sns",
     .doc = "The sender's number, where there are several."},
    {.path = "providers.*.promotional",
     .binding = each<&Config::providers, &ProviderConfig::sns, &providers::SnsConfig::promotional>,
     .kind = "sns",
     .doc =
         "Whether messages are promotional, cheaper and less reliable, instead of transactional."},
    {.path = "providers.*.base_url",
     .binding =
         each<&Config::providers, &ProviderConfig::whatsapp, &providers::WhatsappConfig::base_url>,
     .check = is_base_url,
     .form = "an http:// or https:// URL without query, fragment and trailing slash",
     .kind = "whatsapp",
     .doc = "Meta's Graph API."},
    {.path = "providers.*.version",
     .binding =
         each<&Config::providers, &ProviderConfig::whatsapp, &providers::WhatsappConfig::version>,
     .check = provider_is_version,
     .form = "a version such as v21.0",
     .kind = "whatsapp",
     .doc = "The version of that API."},
    {.path = "providers.*.phone_number_id",
     .binding = each<&Config::providers, &ProviderConfig::whatsapp,
                     &providers::WhatsappConfig::phone_number_id>,
     .check = provider_is_number,
     .form = "1 to 32 digits",
     .kind = "whatsapp",
     .doc = "The id of the sending number."},
    {.path = "providers.*.access_token",
     .binding = each<&Config::providers, &ProviderConfig::whatsapp,
                     &providers::WhatsappConfig::access_token>,
     .check = provider_is_token,
     .form = "a line of at most 4096 bytes",
     .kind = "whatsapp",
     .doc = "The token of a system user; better in the environment than in the file."},
    {.path = "providers.*.template",
     .binding = each<&Config::providers, &ProviderConfig::whatsapp,
                     &providers::WhatsappConfig::template_name>,
     .check = provider_is_template,
     .form = "a template name of a to z, 0 to 9 and _",
     .kind = "whatsapp",
     .doc = "The template, of the category authentication and with a button that copies the code."},
    {.path = "providers.*.languages",
     .binding =
         each<&Config::providers, &ProviderConfig::whatsapp, &providers::WhatsappConfig::languages>,
     .check = provider_is_language,
     .form = "template languages such as en_US",
     .kind = "whatsapp",
     .doc = "The languages that the template has. The first serves every locale that has none."},
    {.path = "providers.*.app_secret",
     .binding = each<&Config::providers, &ProviderConfig::whatsapp,
                     &providers::WhatsappConfig::app_secret>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "whatsapp",
     .doc = "The app's secret, which proves receipts; empty believes none."},
    {.path = "providers.*.verify_token",
     .binding = each<&Config::providers, &ProviderConfig::whatsapp,
                     &providers::WhatsappConfig::verify_token>,
     .check = provider_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "whatsapp",
     .doc = "What Meta must say when it subscribes to receipts; empty refuses it."},
    {.path = "providers.*.url",
     .binding = each<&Config::providers, &ProviderConfig::webhook, &providers::WebhookConfig::url>,
     .check = provider_is_url,
     .form = "an http:// or https:// URL",
     .kind = "webhook",
     .doc = "Where your own sender takes messages."},
    {.path = "providers.*.secrets",
     .binding =
         each<&Config::providers, &ProviderConfig::webhook, &providers::WebhookConfig::secrets>,
     .check = provider_are_webhook_secrets,
     .form = "whsec_ and the base64 of 24 to 64 bytes, up to five of them separated by spaces",
     .kind = "webhook",
     .doc = "The secrets that sign messages and prove receipts (Standard Webhooks), the newest "
            "first."},
};

}  // namespace

std::span<const Key> provider_keys() {
  return k_provider_keys;
}

}  // namespace otpd::app
