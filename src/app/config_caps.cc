#include "app/config_caps.h"

#include <algorithm>
#include <charconv>

#include "app/config_forms.h"

namespace otpd::app {
namespace {

using otp::Cap;
using otp::Meter;

constexpr std::uint64_t k_max_cap = 30'000'000;
constexpr std::string_view k_cap_digits = "0123456789";
// Those that a number is written to; an e-mail costs nothing.
constexpr std::string_view k_priced_channels[] = {"sms", "voice", "whatsapp"};

// What is before and after the "=".
std::optional<std::pair<std::string_view, std::string_view>> cap_halves(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

bool cap_is_prefix(std::string_view text) {
  return text.size() >= 2 && text.size() <= 12 && text[0] == '+' && text[1] != '0' &&
         text.find_first_not_of(k_cap_digits, 1) == std::string_view::npos;
}

Cap capped(std::uint64_t max, bool shadow) {
  return {.max = max, .shadow = shadow};
}

otp::PumpingRule make_pumping(const PumpingConfig& config) {
  return {.min_sends = config.min_sends,
          .min_percent = config.min_percent,
          .window = config.window,
          .grace = config.grace,
          .first = config.close,
          .longest = config.max_close,
          .shadow = config.shadow};
}

void add_budget(otp::CapRules& rules, const BudgetConfig& config) {
  const auto budget = [&](std::string_view text) {
    return capped(otp::parse_money(text).value(), config.shadow);
  };
  rules.currency = config.currency;
  rules.default_price = otp::parse_money(config.default_price).value();
  for (const std::string& text : config.prices) {
    const auto price = parse_price_entry(text).value();
    auto& table = price.channel.empty() ? rules.prices : rules.channel_prices[price.channel];
    table[price.prefix] = price.amount;
  }
  rules.application[Meter::spent] = budget(config.per_day);
  rules.country[Meter::spent] = budget(config.country_per_day);
  for (const std::string& text : config.prefix_limits) {
    const auto entry = parse_money_entry(text).value();
    rules.prefix_budgets[entry.name] = capped(entry.amount, config.shadow);
  }
}

// Those countries that have a cap of their own keep the others of all countries.
void add_countries(otp::CapRules& rules, const Config& config) {
  const auto caps_of = [&](const std::string& country) -> otp::AllowanceCaps& {
    return rules.countries.try_emplace(country, rules.country).first->second;
  };
  for (const std::string& text : config.destinations.country_limits) {
    const auto cap = parse_cap(text).value();
    caps_of(cap.name)[cap.meter] = capped(cap.max, config.destinations.shadow);
  }
  for (const std::string& text : config.budget.country_limits) {
    const auto entry = parse_money_entry(text).value();
    caps_of(entry.name)[Meter::spent] = capped(entry.amount, config.budget.shadow);
  }
}

}  // namespace

std::optional<CapEntry> parse_cap(std::string_view text) {
  const auto halves = cap_halves(text);
  if (!halves) return std::nullopt;
  const auto slash = halves->second.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view number = halves->second.substr(0, slash);
  const std::string_view window = halves->second.substr(slash + 1);
  CapEntry entry{std::string(halves->first), 0, window == "day" ? Meter::day : Meter::hour};
  const auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), entry.max);
  const bool digits = !number.empty() && number[0] != '0' &&
                      number.find_first_not_of(k_cap_digits) == std::string_view::npos;
  if (!digits || bad != std::errc() || end != number.data() + number.size() ||
      entry.max > k_max_cap || (window != "hour" && window != "day")) {
    return std::nullopt;
  }
  return entry;
}

std::optional<MoneyEntry> parse_money_entry(std::string_view text) {
  const auto halves = cap_halves(text);
  const auto amount = halves ? otp::parse_money(halves->second) : std::nullopt;
  if (!amount) return std::nullopt;
  return MoneyEntry{std::string(halves->first), *amount};
}

std::optional<PriceEntry> parse_price_entry(std::string_view text) {
  const auto entry = parse_money_entry(text);
  if (!entry) return std::nullopt;
  const std::string_view name = entry->name;
  if (cap_is_prefix(name)) return PriceEntry{{}, entry->name, entry->amount};
  const auto colon = name.find(':');
  const std::string_view channel = name.substr(0, colon);
  const std::string_view prefix = colon == name.npos ? std::string_view() : name.substr(colon + 1);
  if (std::ranges::find(k_priced_channels, channel) == std::end(k_priced_channels) ||
      (colon != name.npos && !cap_is_prefix(prefix))) {
    return std::nullopt;
  }
  return PriceEntry{std::string(channel), std::string(prefix), entry->amount};
}

bool is_country_cap(std::string_view text) {
  const auto entry = parse_cap(text);
  return entry && is_region(entry->name);
}
bool is_prefix_cap(std::string_view text) {
  const auto entry = parse_cap(text);
  return entry && cap_is_prefix(entry->name);
}
bool is_country_budget(std::string_view text) {
  const auto entry = parse_money_entry(text);
  return entry && entry->amount > 0 && is_region(entry->name);
}
bool is_prefix_budget(std::string_view text) {
  const auto entry = parse_money_entry(text);
  return entry && entry->amount > 0 && cap_is_prefix(entry->name);
}
bool is_price_entry(std::string_view text) {
  return parse_price_entry(text).has_value();
}
bool is_price(std::string_view text) {
  return otp::parse_money(text).has_value();
}
bool is_budget(std::string_view text) {
  return otp::parse_money(text).value_or(0) > 0;
}
bool is_currency(std::string_view text) {
  return text.size() == 3 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

otp::CapRules make_caps(const Config& config) {
  const LimitsConfig& limits = config.limits;
  const DestinationsConfig& destinations = config.destinations;
  otp::CapRules rules;
  rules.application[Meter::hour] = capped(limits.application_sends_per_hour, limits.shadow);
  rules.application[Meter::day] = capped(limits.application_sends_per_day, limits.shadow);
  rules.country[Meter::hour] = capped(destinations.country_sends_per_hour, destinations.shadow);
  rules.country[Meter::day] = capped(destinations.country_sends_per_day, destinations.shadow);
  for (const std::string& text : destinations.prefix_limits) {
    const auto cap = parse_cap(text).value();
    rules.prefixes[cap.name][cap.meter] = capped(cap.max, destinations.shadow);
  }
  rules.block_digits = destinations.block_digits;
  rules.block = capped(destinations.block_sends_per_hour, destinations.shadow);
  rules.pumping = make_pumping(config.pumping);
  add_budget(rules, config.budget);
  add_countries(rules, config);
  return rules;
}

}  // namespace otpd::app
