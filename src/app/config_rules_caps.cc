#include "app/config_rules_caps.h"

#include "app/config_caps.h"

namespace otpd::app {
namespace {

// What an entry is about: "GB" or "+44", and of a cap its window, too.
std::string cap_subject(const std::string& text) {
  std::string subject = text.substr(0, text.find('='));
  const auto slash = text.find('/');
  return slash == std::string::npos ? subject : subject + text.substr(slash);
}

void rule_named_once(const RuleBench& bench, const std::string& path,
                     const std::vector<std::string>& entries) {
  std::set<std::string> subjects;
  for (const std::string& text : entries) {
    if (!subjects.insert(cap_subject(text)).second) {
      bench.refuse(path, {}, "says two things about " + text.substr(0, text.find('=')));
      return;
    }
  }
}

}  // namespace

void judge_caps(const RuleBench& bench) {
  const Config& config = bench.config();
  rule_named_once(bench, "destinations.country_limits", config.destinations.country_limits);
  rule_named_once(bench, "destinations.prefix_limits", config.destinations.prefix_limits);
  rule_named_once(bench, "budget.prices", config.budget.prices);
  rule_named_once(bench, "budget.country_limits", config.budget.country_limits);
  rule_named_once(bench, "budget.prefix_limits", config.budget.prefix_limits);
  if (config.pumping.max_close < config.pumping.close) {
    bench.refuse("pumping.max_close_s", {"pumping.close_s"},
                 "must not be less than pumping.close_s (" +
                     std::to_string(config.pumping.close.count()) + ")");
  }
  if (config.pumping.window < 2 * config.pumping.grace) {
    bench.refuse("pumping.grace_s", {"pumping.window_s"},
                 "must not be more than half of pumping.window_s (" +
                     std::to_string(config.pumping.window.count()) + ")");
  }
}

}  // namespace otpd::app
