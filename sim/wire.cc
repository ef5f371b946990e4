#include "wire.h"

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/encoding.h"
#include "base/random.h"

namespace otpd::sim {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view after(const net::HttpRequest& request, std::string_view scheme) {
  const std::string_view header = net::find_header(request.headers, "Authorization");
  const bool fits = header.size() > scheme.size() &&
                    net::same_name(header.substr(0, scheme.size()), scheme) &&
                    header[scheme.size()] == ' ';
  return fits ? header.substr(scheme.size() + 1) : std::string_view();
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

net::HttpResponse json_response(int status, const Json& json) {
  net::HttpResponse response;
  response.status = status;
  response.body = dump(json);
  return response;
}

Json parse_object(std::string_view body) {
  Json json = Json::parse(body, nullptr, false);
  return json.is_object() ? json : Json();
}

Json member(const Json& object, std::string_view name) {
  if (!object.is_object()) return {};
  const auto at = object.find(name);
  return at == object.end() ? Json() : *at;
}

std::string text_member(const Json& object, std::string_view name) {
  const Json value = member(object, name);
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? value.dump() : std::string();
}

std::string field(const Form& form, std::string_view name) {
  const std::string* value = find_field(form, name);
  return value == nullptr ? std::string() : *value;
}

std::string random_hex(std::size_t bytes) {
  thread_local SeededRandom random((std::uint64_t{std::random_device{}()} << 32) ^
                                   std::random_device{}());
  return hex_encode(random.bytes(bytes));
}

bool is_e164(std::string_view number) {
  return number.size() >= 8 && number.size() <= 16 && number[0] == '+' && number[1] != '0' &&
         std::all_of(number.begin() + 1, number.end(), is_digit);
}

std::string with_plus(std::string_view number) {
  return number.starts_with('+') ? std::string(number) : "+" + std::string(number);
}

std::string_view bearer_of(const net::HttpRequest& request) {
  return after(request, "Bearer");
}

std::string basic_of(const net::HttpRequest& request) {
  return base64_decode(after(request, "Basic"));
}

int code_or(const FaultPlan& plan, int usual) {
  if (plan.code.empty() || !std::all_of(plan.code.begin(), plan.code.end(), is_digit)) return usual;
  return static_cast<int>(std::strtol(plan.code.c_str(), nullptr, 10));
}

std::string unix_seconds(TimePoint now) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

}  // namespace otpd::sim
