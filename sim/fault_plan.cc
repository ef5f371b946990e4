#include "fault_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/rfc3339.h"

namespace otpd::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t k_max_delay_ms = 600'000;
constexpr std::int64_t k_max_cycle_ms = 86'400'000;
constexpr std::size_t k_max_code = 64;
constexpr std::array<std::string_view, 5> k_receipt_modes = {"on", "off", "duplicate",
                                                             "out_of_order", "failed"};

bool read_rate(double& rate, const Json& value) {
  if (value.is_boolean()) {
    rate = value.get<bool>() ? 1 : 0;
    return true;
  }
  if (!value.is_number()) return false;
  rate = value.get<double>();
  return rate >= 0 && rate <= 1;
}

std::optional<std::int64_t> as_int(const Json& value, std::int64_t least, std::int64_t most) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  return number >= least && number <= most ? std::optional(number) : std::nullopt;
}

bool read_flag(bool& flag, const Json& value) {
  flag = value.is_boolean() && value.get<bool>();
  return value.is_boolean();
}

bool read_number(int& number, const Json& value, int least, int most) {
  const auto read = as_int(value, least, most);
  number = static_cast<int>(read.value_or(0));
  return read.has_value();
}

// Whether `object` has exactly these two members.
bool has_only(const Json& object, std::string_view a, std::string_view b) {
  return object.size() == 2 && object.contains(a) && object.contains(b);
}

bool read_pair(Delay& delay, const Json& object, const char* low, const char* high) {
  const auto from = as_int(object[low], 0, k_max_delay_ms);
  const auto to = as_int(object[high], 0, k_max_delay_ms);
  if (!from || !to || *to < *from) return false;
  delay.low = Millis(*from);
  delay.high = Millis(*to);
  return true;
}

// A number of milliseconds, {"min","max"} or {"p50","p99"}.
bool read_delay(Delay& delay, const Json& value) {
  delay = {};
  if (const auto fixed = as_int(value, 0, k_max_delay_ms)) {
    delay.low = Millis(*fixed);
    return true;
  }
  if (!value.is_object()) return false;
  if (has_only(value, "min", "max")) {
    delay.shape = Delay::Shape::uniform;
    return read_pair(delay, value, "min", "max");
  }
  if (!has_only(value, "p50", "p99")) return false;
  delay.shape = Delay::Shape::lognormal;
  return read_pair(delay, value, "p50", "p99") && delay.low > Millis(0);
}

Json delay_json(const Delay& delay) {
  if (delay.shape == Delay::Shape::fixed) return delay.low.count();
  const bool uniform = delay.shape == Delay::Shape::uniform;
  return {{uniform ? "min" : "p50", delay.low.count()},
          {uniform ? "max" : "p99", delay.high.count()}};
}

bool read_time(std::optional<TimePoint>& time, const Json& value) {
  time = value.is_string() ? parse_rfc3339(value.get<std::string>()) : std::nullopt;
  return time.has_value();
}

// Seconds, also with a fraction.
bool read_seconds(Millis& time, const Json& value) {
  const double seconds = value.is_number() ? value.get<double>() : 0;
  if (!(seconds >= 0.001 && seconds * 1000 <= static_cast<double>(k_max_cycle_ms))) return false;
  time = Millis(std::llround(seconds * 1000));
  return true;
}

bool read_outage_member(Outage& outage, const std::string& name, const Json& value) {
  if (name == "from") return read_time(outage.from, value);
  if (name == "until") return read_time(outage.until, value);
  if (name == "every_s") return read_seconds(outage.every, value);
  if (name == "for_s") return read_seconds(outage.length, value);
  outage.as_error = name == "as" && value == "error";
  return name == "as" && (outage.as_error || value == "reset");
}

// True, false, {"from","until"} or {"every_s","for_s"}; in an object also "as".
bool read_outage(Outage& outage, const Json& value) {
  outage = {};
  if (value.is_boolean()) {
    outage.when = value.get<bool>() ? Outage::When::always : Outage::When::never;
    return true;
  }
  if (!value.is_object()) return false;
  for (const auto& [name, member] : value.items()) {
    if (!read_outage_member(outage, name, member)) return false;
  }
  const bool window = outage.from || outage.until;
  const bool cycle = outage.every > Millis(0) || outage.length > Millis(0);
  if (window && cycle) return false;
  outage.when = window ? Outage::When::window : cycle ? Outage::When::cycle : Outage::When::always;
  return !cycle || (outage.length > Millis(0) && outage.length <= outage.every);
}

Json outage_json(const Outage& outage) {
  if (outage.when == Outage::When::never) return false;
  if (outage.when == Outage::When::always && !outage.as_error) return true;
  Json json = {{"as", outage.as_error ? "error" : "reset"}};
  if (outage.from) json["from"] = rfc3339(*outage.from);
  if (outage.until) json["until"] = rfc3339(*outage.until);
  if (outage.when == Outage::When::cycle) {
    json["every_s"] = static_cast<double>(outage.every.count()) / 1000;
    json["for_s"] = static_cast<double>(outage.length.count()) / 1000;
  }
  return json;
}

bool read_code(std::string& code, const Json& value) {
  if (const auto number = as_int(value, 0, UINT32_MAX)) {
    code = std::to_string(*number);
    return true;
  }
  if (!value.is_string()) return false;
  code = value.get<std::string>();
  return !code.empty() && code.size() <= k_max_code &&
         std::all_of(code.begin(), code.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '_' || c == '.' || c == '-';
         });
}

bool read_addresses(std::set<std::string>& addresses, const Json& value) {
  if (!value.is_array()) return false;
  for (const Json& address : value) {
    if (!address.is_string()) return false;
    addresses.insert(address.get<std::string>());
  }
  return true;
}

bool read_mode(ReceiptMode& mode, const Json& value) {
  const std::string name = value.is_string() ? value.get<std::string>() : std::string();
  const auto* at = std::find(k_receipt_modes.begin(), k_receipt_modes.end(), name);
  if (at == k_receipt_modes.end()) return false;
  mode = static_cast<ReceiptMode>(at - k_receipt_modes.begin());
  return true;
}

struct Member {
  std::string_view name;
  bool (*read)(FaultPlan& plan, const Json& value);
};

constexpr Member k_members[] = {
    {"error_rate", [](FaultPlan& p, const Json& v) { return read_rate(p.error_rate, v); }},
    {"status",
     [](FaultPlan& p, const Json& v) { return read_number(p.status.emplace(), v, 400, 599); }},
    {"code", [](FaultPlan& p, const Json& v) { return read_code(p.code, v); }},
    {"throttle_rate", [](FaultPlan& p, const Json& v) { return read_rate(p.throttle_rate, v); }},
    {"retry_after",
     [](FaultPlan& p, const Json& v) { return read_number(p.retry_after, v, 0, 86'400); }},
    {"latency_ms", [](FaultPlan& p, const Json& v) { return read_delay(p.latency, v); }},
    {"hang", [](FaultPlan& p, const Json& v) { return read_flag(p.hang, v); }},
    {"reset_rate", [](FaultPlan& p, const Json& v) { return read_rate(p.reset_rate, v); }},
    {"garbage_rate", [](FaultPlan& p, const Json& v) { return read_rate(p.garbage_rate, v); }},
    {"lose_rate", [](FaultPlan& p, const Json& v) { return read_rate(p.lose_rate, v); }},
    {"accept_then_drop_connection",
     [](FaultPlan& p, const Json& v) { return read_rate(p.drop_rate, v); }},
    {"reject_to", [](FaultPlan& p, const Json& v) { return read_addresses(p.reject_to, v); }},
    {"receipts", [](FaultPlan& p, const Json& v) { return read_mode(p.receipts, v); }},
    {"receipt_delay_ms",
     [](FaultPlan& p, const Json& v) { return read_delay(p.receipt_delay, v); }},
    {"outage", [](FaultPlan& p, const Json& v) { return read_outage(p.outage, v); }},
    {"seed",
     [](FaultPlan& p, const Json& v) {
       const auto seed = as_int(v, 0, INT64_MAX);
       if (seed) p.seed = static_cast<std::uint64_t>(*seed);
       return seed.has_value();
     }},
};

}  // namespace

Result<FaultPlan> parse_faults(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Failure::invalid, "not a JSON object");
  FaultPlan plan;
  for (const auto& [name, value] : json.items()) {
    const auto* member = std::find_if(std::begin(k_members), std::end(k_members),
                                      [&](const Member& m) { return m.name == name; });
    if (member == std::end(k_members)) return fail(Failure::invalid, "unknown member: " + name);
    if (!member->read(plan, value)) return fail(Failure::invalid, "bad value: " + name);
  }
  return plan;
}

std::string faults_to_json(const FaultPlan& plan) {
  Json json = {{"error_rate", plan.error_rate},
               {"throttle_rate", plan.throttle_rate},
               {"retry_after", plan.retry_after},
               {"latency_ms", delay_json(plan.latency)},
               {"hang", plan.hang},
               {"reset_rate", plan.reset_rate},
               {"garbage_rate", plan.garbage_rate},
               {"lose_rate", plan.lose_rate},
               {"accept_then_drop_connection", plan.drop_rate},
               {"reject_to", plan.reject_to},
               {"receipts", k_receipt_modes[static_cast<std::size_t>(plan.receipts)]},
               {"receipt_delay_ms", delay_json(plan.receipt_delay)},
               {"outage", outage_json(plan.outage)}};
  if (plan.status) json["status"] = *plan.status;
  if (!plan.code.empty()) json["code"] = plan.code;
  if (plan.seed) json["seed"] = *plan.seed;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_out(const Outage& outage, TimePoint since, TimePoint now) {
  switch (outage.when) {
    case Outage::When::never:
      return false;
    case Outage::When::always:
      return true;
    case Outage::When::window:
      return (!outage.from || now >= *outage.from) && (!outage.until || now < *outage.until);
    case Outage::When::cycle:
      return now >= since && (now - since) % outage.every < outage.length;
  }
  return false;
}

}  // namespace otpd::sim
