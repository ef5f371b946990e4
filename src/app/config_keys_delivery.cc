#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

Slot delivery_template(Config& config, const Names& names) {
  return &config.messages.templates[names.at(0)][names.at(1)][names.at(2)];
}

bool delivery_is_brand(std::string_view text) {
  return text.size() <= 64 && is_line(text);
}
bool delivery_is_template(std::string_view text) {
  return text.size() <= 4'096 && is_lines(text);
}

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
    {.path = "delivery.receipts",
     .binding = at<&Config::delivery, &DeliveryConfig::receipts>,
     .doc = "Whether carriers are asked to report what became of a message, at "
            "server.public_url + /callbacks/PROVIDER."},
    {.path = "delivery.dead_letter_retention_days",
     .binding = at<&Config::delivery, &DeliveryConfig::dead_letter_retention>,
     .min = 1,
     .max = 365,
     .unit = "days",
     .doc = "How long messages that could not be delivered stay visible to the operator."},

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
