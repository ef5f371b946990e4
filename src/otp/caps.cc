#include "otp/caps.h"

#include <algorithm>

#include "otp/keys.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_max_whole_digits = 12;
constexpr std::size_t k_max_fraction_digits = 6;
constexpr std::string_view k_digits = "0123456789";

struct Named {
  std::string_view limit;
  std::array<std::string_view, k_meters.size()> reasons;
};
constexpr Named k_named[] = {
    {"application", {"application_hour", "application_day", "budget_application"}},
    {"country", {"country_hour", "country_day", "budget_country"}},
    {"prefix", {"prefix_hour", "prefix_day", "budget_prefix"}},
    {"block", {"block_hour", "block_day", "budget_block"}},
};

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of(k_digits) == std::string_view::npos;
}

const AllowanceCaps& country_caps(const CapRules& rules, std::string_view country) {
  const auto own = rules.countries.find(country);
  return own == rules.countries.end() ? rules.country : own->second;
}

}  // namespace

std::optional<Micros> parse_money(std::string_view text) {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view("0") : text.substr(point + 1);
  if (!is_digits(whole) || whole.size() > k_max_whole_digits || !is_digits(fraction) ||
      fraction.size() > k_max_fraction_digits || (whole.size() > 1 && whole[0] == '0')) {
    return std::nullopt;
  }
  Micros micros = 0;
  for (const char c : whole) micros = micros * 10 + static_cast<Micros>(c - '0');
  for (std::size_t i = 0; i < k_max_fraction_digits; ++i) {
    micros = micros * 10 + (i < fraction.size() ? static_cast<Micros>(fraction[i] - '0') : 0);
  }
  return micros;
}

std::string format_money(Micros amount) {
  std::string fraction = std::to_string(k_micros + amount % k_micros).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return std::to_string(amount / k_micros) + (fraction.empty() ? "" : "." + fraction);
}

Micros price_of(const CapRules& rules, const Recipient& recipient, std::string_view channel) {
  if (recipient.kind != Recipient::Kind::phone) return 0;
  const std::string_view number = recipient.address.reveal();
  if (const auto own = rules.channel_prices.find(channel); own != rules.channel_prices.end()) {
    const auto fits = find_prefix(own->second, number);
    if (fits != own->second.end()) return fits->second;
  }
  const auto found = find_prefix(rules.prices, number);
  return found == rules.prices.end() ? rules.default_price : found->second;
}

std::string_view block_of(const CapRules& rules, const Recipient& recipient) {
  if (recipient.kind != Recipient::Kind::phone) return {};
  const std::string_view number = recipient.address.reveal();
  // A short number is its own block.
  return number.substr(0,
                       std::max<std::size_t>(
                           number.size() - std::min<std::size_t>(number.size(), rules.block_digits),
                           std::min<std::size_t>(number.size(), 2)));
}

std::vector<CapScope> scopes_of(const CapRules& rules, const Recipient& recipient) {
  std::vector<CapScope> scopes;
  scopes.reserve(5);
  if (recipient.kind == Recipient::Kind::phone) {
    const std::string_view number = recipient.address.reveal();
    scopes.push_back({"block", block_of(rules, recipient), {{rules.block}}});
    if (const auto own = find_prefix(rules.prefixes, number); own != rules.prefixes.end()) {
      scopes.push_back({"prefix", own->first, own->second});
    }
    if (const auto own = find_prefix(rules.prefix_budgets, number);
        own != rules.prefix_budgets.end()) {
      scopes.push_back({"prefix", own->first, {{std::nullopt, std::nullopt, own->second}}});
    }
    const std::string_view country = listed_country(recipient);
    scopes.push_back({"country", country, country_caps(rules, country)});
  }
  scopes.push_back({"application", {}, rules.application});
  return scopes;
}

std::string_view reason_of(const CapScope& scope, Meter meter) {
  const auto* named = std::ranges::find(k_named, scope.limit, &Named::limit);
  return named->reasons[static_cast<std::size_t>(meter)];
}

Key allowance_key(std::string_view index_key, std::string_view application, const CapScope& scope) {
  // A prefix's money and its sends are capped by tables of their own.
  const std::string_view kind =
      scope.limit == "prefix" && !scope.caps[Meter::hour] && !scope.caps[Meter::day]
          ? "budget prefix"
          : scope.limit;
  return allowance_record(
      keyed_hash(index_key, "allowance " + std::string(kind), application, scope.name));
}

Key block_key(std::string_view index_key, std::string_view application, std::string_view prefix) {
  return allowance_key(index_key, application, {"block", prefix, {}});
}

Key closed_blocks_key(std::string_view index_key, std::string_view application) {
  return closed_blocks_record(keyed_hash(index_key, "closed blocks", application, {}));
}

}  // namespace otpd::otp
