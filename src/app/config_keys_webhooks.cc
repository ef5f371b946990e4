#include "app/config_forms.h"
#include "app/config_keys.h"
#include "crypto/standard_webhooks.h"
#include "delivery/webhook_outbox.h"

namespace otpd::app {
namespace {

bool webhook_is_url(std::string_view text) {
  const auto url = parse_url(text);
  return url && (url->scheme == "https" || url->scheme == "http") && !url->rest.contains('#');
}

bool webhook_are_secrets(std::string_view text) {
  return crypto::WebhookKeys::make(text).has_value();
}

constexpr Key k_webhook_keys[] = {
    {.path = "webhooks.url",
     .binding = at<&Config::webhooks, &WebhooksConfig::url>,
     .check = webhook_is_url,
     .form = "an https URL without user information or fragment",
     .may_be_empty = true,
     .doc = "Where events are posted. Empty: nowhere."},
    {.path = "webhooks.secrets",
     .binding = at<&Config::webhooks, &WebhooksConfig::secrets>,
     .check = webhook_are_secrets,
     .form = "one to five of whsec_ and the base64 of 24 to 64 bytes, separated by spaces",
     .may_be_empty = true,
     .doc = "The secrets that sign events (Standard Webhooks), the newest first: every event is "
            "signed with all of them, so that they can be changed one after the other."},
    {.path = "webhooks.events",
     .binding = at<&Config::webhooks, &WebhooksConfig::events>,
     .check = delivery::is_webhook_type,
     .form = "events: otp.sent, otp.delivered, otp.failed, otp.verified, otp.exhausted, "
             "otp.expired, otp.canceled",
     .doc = "Which events are posted."},
    {.path = "webhooks.timeout_ms",
     .binding = at<&Config::webhooks, &WebhooksConfig::timeout>,
     .min = 1'000,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "How long the endpoint may take to answer."},
    {.path = "webhooks.allow_private",
     .binding = at<&Config::webhooks, &WebhooksConfig::allow_private>,
     .doc = "Whether events may go to addresses that are not of the public Internet, and over "
            "http: for an endpoint in your own network."},
    {.path = "webhooks.max_in_flight",
     .binding = at<&Config::webhooks, &WebhooksConfig::max_in_flight>,
     .min = 1,
     .max = 1'000,
     .unit = "events",
     .doc = "How many are posted at once; they take no room from messages."},
};

}  // namespace

std::span<const Key> webhook_keys() {
  return k_webhook_keys;
}

}  // namespace otpd::app
