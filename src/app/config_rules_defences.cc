#include "app/config_rules_defences.h"

#include "otp/allowance.h"
#include "otp/caps.h"

namespace otpd::app {
namespace {

constexpr std::string_view k_nothing_costs =
    "is no price: what costs nothing passes every budget; the least is 0.000001";

bool is_free(std::string_view amount) {
  return otp::parse_money(amount) == otp::Micros(0);
}

// Entries end with their amount ("+44=0.04").
void rule_prices(const RuleBench& bench) {
  const BudgetConfig& budget = bench.config().budget;
  if (is_free(budget.default_price)) {
    bench.refuse("budget.default_price", {}, std::string(k_nothing_costs));
  }
  for (const std::string& entry : budget.prices) {
    if (!is_free(std::string_view(entry).substr(entry.rfind('=') + 1))) continue;
    bench.refuse("budget.prices", {}, entry + " " + std::string(k_nothing_costs));
    return;
  }
}

// One of friction's thresholds, and the limit that must leave it within reach.
struct Threshold {
  const char* path;
  std::uint32_t FrictionConfig::* member;
  const char* limit_path;
  std::uint32_t LimitsConfig::* limit;
};
constexpr Threshold k_thresholds[] = {
    {"friction.recipient_sends", &FrictionConfig::recipient_sends, "limits.recipient_sends",
     &LimitsConfig::recipient_sends},
    {"friction.ip_sends", &FrictionConfig::ip_sends, "limits.ip_sends", &LimitsConfig::ip_sends},
};

void rule_thresholds(const RuleBench& bench) {
  const Config& config = bench.config();
  for (const Threshold& one : k_thresholds) {
    const std::uint32_t threshold = config.friction.*one.member;
    const std::uint32_t limit = config.limits.*one.limit;
    if (threshold <= std::max(limit, FrictionConfig{}.*one.member)) continue;
    bench.refuse(one.path, {one.limit_path},
                 std::string("is more than ") + one.limit_path + " (" + std::to_string(limit) +
                     "): it would never ask for a captcha");
  }
}

// What a block is judged by was sent in a span that is shorter than the window by the grace, and
// longer by the sixtieth in which it counts; of that span the cap of the block bounds every hour.
void rule_min_sends(const RuleBench& bench) {
  const PumpingConfig& pumping = bench.config().pumping;
  const DestinationsConfig& destinations = bench.config().destinations;
  if (destinations.shadow || pumping.grace >= pumping.window) return;
  const Millis span = pumping.window + otp::sub_window(pumping.window) - pumping.grace;
  const auto hours =
      static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::hours>(span).count());
  const std::uint64_t most = hours * destinations.block_sends_per_hour;
  if (pumping.min_sends <= std::max<std::uint64_t>(most, PumpingConfig{}.min_sends)) return;
  bench.refuse("pumping.min_sends", {"destinations.block_sends_per_hour", "pumping.window_s"},
               "is never reached: destinations.block_sends_per_hour (" +
                   std::to_string(destinations.block_sends_per_hour) + ") lets " +
                   std::to_string(most) + " messages to a block through in pumping.window_s");
}

}  // namespace

void judge_defences(const RuleBench& bench) {
  rule_prices(bench);
  rule_thresholds(bench);
  rule_min_sends(bench);
}

}  // namespace otpd::app
