#include "app/config_caps.h"
#include "app/config_keys.h"

namespace otpd::app {
namespace {

constexpr std::int64_t k_cap_day_s = 86'400;
constexpr std::string_view k_amount_form = "an amount as 0.05, of at most 12 digits and 6 decimals";
constexpr std::string_view k_budget_form =
    "an amount above zero as 250.00, of at most 12 digits and 6 decimals";

constexpr Key k_cap_keys[] = {
    {.path = "destinations.country_sends_per_hour",
     .binding = at<&Config::destinations, &DestinationsConfig::country_sends_per_hour>,
     .min = 1,
     .max = 10'000'000,
     .unit = "messages",
     .doc = "Messages to the phones of one country in any hour."},
    {.path = "destinations.country_sends_per_day",
     .binding = at<&Config::destinations, &DestinationsConfig::country_sends_per_day>,
     .min = 1,
     .max = 30'000'000,
     .unit = "messages",
     .doc = "Messages to the phones of one country in any 24 hours."},
    {.path = "destinations.country_limits",
     .binding = at<&Config::destinations, &DestinationsConfig::country_limits>,
     .check = is_country_cap,
     .form = "limits of countries, such as GB=500/hour and FR=200/day",
     .doc = "What is another for some countries. ZZ is for numbers of none."},
    {.path = "destinations.prefix_limits",
     .binding = at<&Config::destinations, &DestinationsConfig::prefix_limits>,
     .check = is_prefix_cap,
     .form = "limits of beginnings of numbers, such as +44700=10/hour and +882=20/day",
     .doc = "Messages to all numbers with that beginning; the longest that fits counts."},
    {.path = "destinations.block_digits",
     .binding = at<&Config::destinations, &DestinationsConfig::block_digits>,
     .min = 2,
     .max = 6,
     .unit = "digits",
     .doc = "Numbers that differ in so many last digits only are one block: 4 makes blocks of "
            "10,000."},
    {.path = "destinations.block_sends_per_hour",
     .binding = at<&Config::destinations, &DestinationsConfig::block_sends_per_hour>,
     .min = 1,
     .max = 10'000'000,
     .unit = "messages",
     .doc = "Messages to one block of numbers in any hour."},

    {.path = "pumping.min_sends",
     .binding = at<&Config::pumping, &PumpingConfig::min_sends>,
     .min = 5,
     .max = 1'000'000,
     .unit = "messages",
     .doc = "So many messages to a block in any window_s before it is judged."},
    {.path = "pumping.min_percent",
     .binding = at<&Config::pumping, &PumpingConfig::min_percent>,
     .min = 1,
     .max = 90,
     .unit = "percent",
     .doc = "If fewer of them were verified, the block is closed."},
    {.path = "pumping.window_s",
     .binding = at<&Config::pumping, &PumpingConfig::window>,
     .min = 600,
     .max = k_cap_day_s,
     .unit = "seconds",
     .doc = "The sliding window of both."},
    {.path = "pumping.grace_s",
     .binding = at<&Config::pumping, &PumpingConfig::grace>,
     .min = 30,
     .max = 600,
     .unit = "seconds",
     .doc = "How long a message has at least to be verified before it is judged; up to a sixtieth "
            "of window_s more."},
    {.path = "pumping.close_s",
     .binding = at<&Config::pumping, &PumpingConfig::close>,
     .min = 60,
     .max = k_cap_day_s,
     .unit = "seconds",
     .doc = "For how long a block is closed the first time; each further time for twice as long."},
    {.path = "pumping.max_close_s",
     .binding = at<&Config::pumping, &PumpingConfig::max_close>,
     .min = 3'600,
     .max = 30 * k_cap_day_s,
     .unit = "seconds",
     .doc = "For how long at the most. After as long without a closing the next one is a first."},
    {.path = "pumping.shadow",
     .binding = at<&Config::pumping, &PumpingConfig::shadow>,
     .doc = "Whether closed blocks are sent to all the same, and what would be refused is only "
            "recorded in the audit log (limited_shadow)."},

    {.path = "budget.currency",
     .binding = at<&Config::budget, &BudgetConfig::currency>,
     .check = is_currency,
     .form = "an ISO 4217 code in capitals, such as USD",
     .doc = "What prices and budgets are in. For people: nothing is converted."},
    {.path = "budget.default_price",
     .binding = at<&Config::budget, &BudgetConfig::default_price>,
     .check = is_price,
     .form = k_amount_form,
     .doc = "What a message to a phone costs if prices does not say. An e-mail costs nothing."},
    {.path = "budget.prices",
     .binding = at<&Config::budget, &BudgetConfig::prices>,
     .check = is_price_entry,
     .form = "prices of beginnings of numbers, of channels (sms, voice, whatsapp) or of both, such "
             "as +44=0.04, voice=0.10 and voice:+44=0.12",
     .doc = "What a message to a number with that beginning costs. A price of its channel goes "
            "before one without; of these, the longest beginning that fits counts."},
    {.path = "budget.per_day",
     .binding = at<&Config::budget, &BudgetConfig::per_day>,
     .check = is_budget,
     .form = k_budget_form,
     .doc = "What the application may spend in any 24 hours."},
    {.path = "budget.country_per_day",
     .binding = at<&Config::budget, &BudgetConfig::country_per_day>,
     .check = is_budget,
     .form = k_budget_form,
     .doc = "What may be spent on the phones of one country in any 24 hours."},
    {.path = "budget.country_limits",
     .binding = at<&Config::budget, &BudgetConfig::country_limits>,
     .check = is_country_budget,
     .form = "amounts above zero of countries, such as GB=100.00",
     .doc = "What is another for some countries. ZZ is for numbers of none."},
    {.path = "budget.prefix_limits",
     .binding = at<&Config::budget, &BudgetConfig::prefix_limits>,
     .check = is_prefix_budget,
     .form = "amounts above zero of beginnings of numbers, such as +44700=5.00",
     .doc = "What may be spent on numbers with that beginning in any 24 hours; the longest that "
            "fits counts."},
    {.path = "budget.shadow",
     .binding = at<&Config::budget, &BudgetConfig::shadow>,
     .doc = "Whether the budgets refuse nothing, and what they would is only recorded in the audit "
            "log (limited_shadow)."},
};

}  // namespace

std::span<const Key> cap_keys() {
  return k_cap_keys;
}

}  // namespace otpd::app
