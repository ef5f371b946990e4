#include "gateway/caps_json.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

ordered_json shown_cap(const otp::Cap& cap, bool money) {
  ordered_json shown = ordered_json::object();
  if (money) {
    shown["max"] = otp::format_money(cap.max);
  } else {
    shown["max"] = cap.max;
  }
  shown["shadow"] = cap.shadow;
  return shown;
}

ordered_json shown_scope(const otp::AllowanceCaps& caps) {
  constexpr const char* k_names[] = {"sends_per_hour", "sends_per_day", "spent_per_day"};
  ordered_json shown = ordered_json::object();
  for (const otp::Meter meter : otp::k_meters) {
    if (!caps[meter]) continue;
    shown[k_names[static_cast<std::size_t>(meter)]] =
        shown_cap(*caps[meter], meter == otp::Meter::spent);
  }
  return shown;
}

// Those of sends, and those of money.
ordered_json shown_prefixes(const otp::CapRules& caps) {
  otp::ByPrefix<otp::AllowanceCaps> all = caps.prefixes;
  for (const auto& [prefix, budget] : caps.prefix_budgets) all[prefix][otp::Meter::spent] = budget;
  ordered_json shown = ordered_json::object();
  for (const auto& [prefix, own] : all) shown[prefix] = shown_scope(own);
  return shown;
}

}  // namespace

ordered_json caps_json(const otp::CapRules& caps, bool all) {
  ordered_json shown{{"currency", caps.currency}, {"application", shown_scope(caps.application)}};
  if (!all) return shown;
  shown["country"] = shown_scope(caps.country);
  shown["countries"] = ordered_json::object();
  for (const auto& [country, own] : caps.countries) shown["countries"][country] = shown_scope(own);
  shown["prefixes"] = shown_prefixes(caps);
  shown["block"] = {{"digits", caps.block_digits},
                    {"sends_per_hour", shown_cap(caps.block, false)}};
  shown["default_price"] = otp::format_money(caps.default_price);
  shown["prices"] = ordered_json::object();
  for (const auto& [prefix, price] : caps.prices) {
    shown["prices"][prefix] = otp::format_money(price);
  }
  for (const auto& [channel, prices] : caps.channel_prices) {
    for (const auto& [prefix, price] : prices) {
      const std::string name = prefix.empty() ? channel : channel + ":" + prefix;
      shown["prices"][name] = otp::format_money(price);
    }
  }
  return shown;
}

}  // namespace otpd::gateway
