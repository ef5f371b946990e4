#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

Slot delivery_template(Config& config, const Names& names) {
  return &config.messages.templates[names.at(0)][names.at(1)][names.at(2)];
}

bool delivery_is_sender(std::string_view text) {
  return text.size() <= 64 && is_line(text);
}
bool delivery_is_credential(std::string_view text) {
  return text.size() <= 512 && is_line(text);
}
bool delivery_is_brand(std::string_view text) {
  return text.size() <= 64 && is_line(text);
}
bool delivery_is_template(std::string_view text) {
  return text.size() <= 4'096 && is_lines(text);
}

constexpr std::string_view k_provider_name =
    "the name of a provider, such as twilio for "
    "[providers.twilio]";

constexpr Key k_delivery_keys[] = {
    {.path = "delivery.in_flight",
     .binding = at<&Config::delivery, &DeliveryConfig::in_flight>,
     .min = 1,
     .max = 10'000,
     .unit = "messages",
     .doc = "Messages that are being handed to providers at once."},
    {.path = "delivery.lease_s",
     .binding = at<&Config::delivery, &DeliveryConfig::lease>,
     .min = 1,
     .max = 600,
     .unit = "seconds",
     .doc = "After how long a message whose sender went silent is taken up again. Must be longer "
            "than provider_timeout_ms."},
    {.path = "delivery.retry_base_ms",
     .binding = at<&Config::delivery, &DeliveryConfig::retry_base>,
     .min = 10,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "The pause before the first retry; it doubles with each, with jitter."},
    {.path = "delivery.retry_max_ms",
     .binding = at<&Config::delivery, &DeliveryConfig::retry_max>,
     .min = 10,
     .max = 600'000,
     .unit = "milliseconds",
     .doc = "The longest pause between two retries."},
    {.path = "delivery.provider_timeout_ms",
     .binding = at<&Config::delivery, &DeliveryConfig::provider_timeout>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "How long a provider may take to answer."},
    {.path = "delivery.dead_letter_retention_days",
     .binding = at<&Config::delivery, &DeliveryConfig::dead_letter_retention>,
     .min = 1,
     .max = 365,
     .unit = "days",
     .doc = "How long messages that could not be delivered stay visible to the operator."},

    {.path = "delivery.routes.sms",
     .binding = at<&Config::delivery, &DeliveryConfig::routes, &RoutesConfig::sms>,
     .check = is_name,
     .form = k_provider_name,
     .may_be_empty = true,
     .doc = "The provider of text messages."},
    {.path = "delivery.routes.voice",
     .binding = at<&Config::delivery, &DeliveryConfig::routes, &RoutesConfig::voice>,
     .check = is_name,
     .form = k_provider_name,
     .may_be_empty = true,
     .doc = "The provider of calls."},
    {.path = "delivery.routes.whatsapp",
     .binding = at<&Config::delivery, &DeliveryConfig::routes, &RoutesConfig::whatsapp>,
     .check = is_name,
     .form = k_provider_name,
     .may_be_empty = true,
     .doc = "The provider of WhatsApp messages."},
    {.path = "delivery.routes.email",
     .binding = at<&Config::delivery, &DeliveryConfig::routes, &RoutesConfig::email>,
     .check = is_name,
     .form = k_provider_name,
     .may_be_empty = true,
     .doc = "The provider of e-mail."},

    {.path = "providers.*.kind",
     .binding = each<&Config::providers, &ProviderConfig::kind>,
     .choices = {"twilio", "smtp", "log", "smpp"},
     .doc = "The protocol, which decides about the other keys. A provider that you add must say "
            "it. \"log\" has no other keys: it prints messages, codes included, and is for "
            "development only."},
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
     .check = delivery_is_credential,
     .form = "a line of at most 512 bytes",
     .kind = "twilio",
     .doc = "The account's secret; better in the environment than in the file."},
    {.path = "providers.*.from",
     .binding = each<&Config::providers, &ProviderConfig::twilio, &TwilioConfig::from>,
     .check = delivery_is_sender,
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
     .check = delivery_is_credential,
     .form = "a line of at most 512 bytes",
     .may_be_empty = true,
     .kind = "smtp",
     .doc = "The user to log in as; empty does not log in."},
    {.path = "providers.*.password",
     .binding = each<&Config::providers, &ProviderConfig::smtp, &SmtpConfig::password>,
     .check = delivery_is_credential,
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
     .doc = "Whether to send nothing if the server offers no STARTTLS."},

    {.path = "messages.brand",
     .binding = at<&Config::messages, &MessagesConfig::brand>,
     .check = delivery_is_brand,
     .form = "a line of at most 64 bytes",
     .doc = "Who the messages say they are from."},
    {.path = "messages.webotp_host",
     .binding = at<&Config::messages, &MessagesConfig::webotp_host>,
     .check = is_host_name,
     .form = "a host name",
     .may_be_empty = true,
     .doc = "The site for which browsers fill in codes (the last line of a text message: @host "
            "#code). Empty is the host of server.public_url."},
    {.path = "messages.default_locale",
     .binding = at<&Config::messages, &MessagesConfig::default_locale>,
     .check = is_locale,
     .form = "a language tag such as en or pt-BR",
     .doc = "The language of messages when the asked one has no template."},
    {.path = "messages.templates.*.*.*",
     .binding = binding<std::string>(delivery_template),
     .check = delivery_is_template,
     .form = "a text of at most 4096 bytes",
     .doc = "A message's text."},
};

}  // namespace

std::span<const Key> delivery_keys() {
  return k_delivery_keys;
}

}  // namespace otpd::app
