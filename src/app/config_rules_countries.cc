#include "app/config_rules_countries.h"

#include "otp/recipient.h"

namespace otpd::app {
namespace {

void rule_default_region(const RuleBench& bench) {
  const auto& region = bench.config().otp.default_region;
  if (region.empty() || otp::has_phones(region)) return;
  bench.refuse("otp.default_region", {}, "is no country whose phone numbers are known");
}

// The entries are countries, or begin with one ("GB=500/hour").
void rule_countries(const RuleBench& bench, const std::string& path,
                    const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const std::string country = entry.substr(0, entry.find('='));
    if (country == otp::k_no_country || otp::has_phones(country)) continue;
    bench.refuse(path, {},
                 "names " + country + ", which is no country whose phone numbers are known" +
                     (country == "UK" ? "; did you mean GB?" : ""));
    return;
  }
}

}  // namespace

void judge_countries(const RuleBench& bench) {
  const Config& config = bench.config();
  rule_default_region(bench);
  rule_countries(bench, "destinations.allowed_countries", config.destinations.allowed_countries);
  rule_countries(bench, "destinations.denied_countries", config.destinations.denied_countries);
  rule_countries(bench, "destinations.country_limits", config.destinations.country_limits);
  rule_countries(bench, "budget.country_limits", config.budget.country_limits);
}

}  // namespace otpd::app
