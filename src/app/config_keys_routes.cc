#include "app/config_forms.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

// "twilio", or "twilio:70" with a weight.
bool route_is_leg(std::string_view text) {
  const auto colon = text.find(':');
  if (!is_name(text.substr(0, colon))) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view weight = text.substr(colon + 1);
  return !weight.empty() && weight.size() <= 4 && weight[0] != '0' &&
         weight.find_first_not_of("0123456789") == std::string_view::npos;
}

bool route_is_prefix(std::string_view text) {
  return text.size() >= 2 && text.size() <= 12 && text[0] == '+' && text[1] != '0' &&
         text.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

constexpr std::string_view k_leg_form =
    "names of providers, such as twilio for [providers.twilio], each with a weight if they share "
    "the work: \"twilio:70\"";

template <auto Member>
constexpr Key route_of_channel(std::string_view path, std::string_view doc) {
  return {.path = path,
          .binding = at<&Config::delivery, &DeliveryConfig::routes, Member>,
          .check = route_is_leg,
          .form = k_leg_form,
          .doc = doc};
}

constexpr Key k_route_keys[] = {
    route_of_channel<&RoutesConfig::sms>(
        "delivery.routes.sms",
        "The providers of text messages: the first that takes a message has it, the others are "
        "asked when it fails or its circuit is open."),
    route_of_channel<&RoutesConfig::voice>("delivery.routes.voice", "The providers of calls."),
    route_of_channel<&RoutesConfig::whatsapp>("delivery.routes.whatsapp",
                                              "The providers of WhatsApp messages."),
    route_of_channel<&RoutesConfig::email>("delivery.routes.email", "The providers of e-mail."),

    {.path = "prefix_routes.*.channel",
     .binding = each<&Config::prefix_routes, &PrefixRouteConfig::channel>,
     .choices = {"sms", "voice", "whatsapp"},
     .doc = "The channel that the route is for."},
    {.path = "prefix_routes.*.prefixes",
     .binding = each<&Config::prefix_routes, &PrefixRouteConfig::prefixes>,
     .check = route_is_prefix,
     .form = "beginnings of numbers, such as +49 or +1684",
     .doc = "The numbers that it is for; the longest fitting prefix of all routes counts."},
    {.path = "prefix_routes.*.lanes",
     .binding = each<&Config::prefix_routes, &PrefixRouteConfig::lanes>,
     .check = route_is_leg,
     .form = k_leg_form,
     .doc = "The providers, as in delivery.routes."},

    {.path = "fallback.after_s",
     .binding = at<&Config::fallback, &FallbackConfig::after>,
     .min = 5,
     .max = 600,
     .unit = "seconds",
     .doc = "How long a receipt is waited for before the next channel is used."},
    {.path = "fallback.sms",
     .binding = at<&Config::fallback, &FallbackConfig::sms>,
     .choices = {"none", "voice", "whatsapp"},
     .doc = "What follows on a text message of which no receipt came, for purposes that allow it "
            "(purposes.*.fallback)."},
    {.path = "fallback.whatsapp",
     .binding = at<&Config::fallback, &FallbackConfig::whatsapp>,
     .choices = {"none", "sms", "voice"},
     .doc = "The same for WhatsApp."},

    {.path = "breaker.window_s",
     .binding = at<&Config::breaker, &BreakerConfig::window>,
     .min = 5,
     .max = 3'600,
     .unit = "seconds",
     .doc = "How far back the tries of a provider count."},
    {.path = "breaker.min_volume",
     .binding = at<&Config::breaker, &BreakerConfig::min_volume>,
     .min = 1,
     .max = 100'000,
     .unit = "tries",
     .doc = "Fewer tries than this within the window give no rate to judge by."},
    {.path = "breaker.shift_error_percent",
     .binding = at<&Config::breaker, &BreakerConfig::shift_error_percent>,
     .min = 1,
     .max = 100,
     .unit = "percent",
     .doc = "Above it, other providers of the route are preferred."},
    {.path = "breaker.open_error_percent",
     .binding = at<&Config::breaker, &BreakerConfig::open_error_percent>,
     .min = 1,
     .max = 100,
     .unit = "percent",
     .doc = "From it, the provider's circuit opens: it is left alone for a while."},
    {.path = "breaker.open_failures",
     .binding = at<&Config::breaker, &BreakerConfig::open_failures>,
     .min = 1,
     .max = 1'000,
     .unit = "failures",
     .doc = "So many failures one after the other open it, too."},
    {.path = "breaker.open_p99_ms",
     .binding = at<&Config::breaker, &BreakerConfig::open_p99>,
     .min = 100,
     .max = 60'000,
     .unit = "milliseconds",
     .doc = "And so does a 99th percentile of its answers above this."},
    {.path = "breaker.open_for_s",
     .binding = at<&Config::breaker, &BreakerConfig::open_for>,
     .min = 1,
     .max = 3'600,
     .unit = "seconds",
     .doc = "For how long it stays open before it is probed; doubles while probes fail."},
    {.path = "breaker.open_max_s",
     .binding = at<&Config::breaker, &BreakerConfig::open_max>,
     .min = 1,
     .max = 86'400,
     .unit = "seconds",
     .doc = "The longest such time."},
};

}  // namespace

std::span<const Key> route_keys() {
  return k_route_keys;
}

}  // namespace otpd::app
