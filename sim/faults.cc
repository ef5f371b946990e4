#include "faults.h"

#include <nlohmann/json.hpp>

namespace otpd::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr Millis k_hang_look{50};
constexpr Millis k_max_latency{600'000};

std::optional<double> as_rate(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (!value.is_number()) return std::nullopt;
  const double rate = value.get<double>();
  return rate >= 0 && rate <= 1 ? std::optional(rate) : std::nullopt;
}

std::optional<int> as_int(const Json& value, int least, int most) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  return number >= least && number <= most ? std::optional(static_cast<int>(number)) : std::nullopt;
}

bool read_numbers(FaultPlan& plan, const std::string& name, const Json& value) {
  if (name == "error_rate" || name == "accept_then_drop_connection") {
    const auto rate = as_rate(value);
    (name == "error_rate" ? plan.error_rate : plan.drop_rate) = rate.value_or(0);
    return rate.has_value();
  }
  const bool is_latency = name == "latency_ms";
  const auto number = name == "status" ? as_int(value, 400, 599)
                      : is_latency     ? as_int(value, 0, static_cast<int>(k_max_latency.count()))
                                       : as_int(value, 0, 86'400);
  if (!number) return false;
  if (name == "status") plan.status = *number;
  if (is_latency) plan.latency = Millis(*number);
  if (name == "retry_after") plan.retry_after = *number;
  return name == "status" || is_latency || name == "retry_after";
}

bool read_member(FaultPlan& plan, const std::string& name, const Json& value) {
  if (name == "hang") {
    plan.hang = value.is_boolean() && value.get<bool>();
    return value.is_boolean();
  }
  if (name != "reject_to") return read_numbers(plan, name, value);
  if (!value.is_array()) return false;
  for (const Json& address : value) {
    if (!address.is_string()) return false;
    plan.reject_to.insert(address.get<std::string>());
  }
  return true;
}

}  // namespace

Result<FaultPlan> parse_faults(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Failure::invalid, "not a JSON object");
  FaultPlan plan;
  for (const auto& [name, value] : json.items()) {
    if (!read_member(plan, name, value)) {
      return fail(Failure::invalid, "unknown member or bad value: " + name);
    }
  }
  return plan;
}

std::string faults_to_json(const FaultPlan& plan) {
  return Json{{"error_rate", plan.error_rate},
              {"status", plan.status},
              {"latency_ms", plan.latency.count()},
              {"hang", plan.hang},
              {"retry_after", plan.retry_after},
              {"reject_to", plan.reject_to},
              {"accept_then_drop_connection", plan.drop_rate}}
      .dump();
}

void Faults::set(FaultPlan plan) {
  auto next = std::make_shared<const FaultPlan>(std::move(plan));
  const std::lock_guard lock(mutex_);
  plan_ = std::move(next);
}

std::shared_ptr<const FaultPlan> Faults::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

bool Faults::strikes(double rate) {
  if (rate <= 0) return false;
  const std::lock_guard lock(mutex_);
  return static_cast<double>(random_.u64() >> 11) * 0x1p-53 < rate;
}

Task<void> Faults::delay() {
  const std::shared_ptr<const FaultPlan> at_start = plan();
  if (at_start->latency > Millis(0)) co_await sleep_for(at_start->latency);
  while (at_start->hang && plan() == at_start) co_await sleep_for(k_hang_look);
}

}  // namespace otpd::sim
