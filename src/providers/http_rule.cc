#include "providers/http_rule.h"

#include "providers/http_provider.h"
#include "providers/json_body.h"

namespace otpd::providers {
namespace {

bool is_rule_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<HttpRule> HttpRule::parse(std::string_view text) {
  HttpRule rule;
  if (text.starts_with('/')) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos || !is_json_pointer(text.substr(0, equals))) return std::nullopt;
    rule.pointer_ = text.substr(0, equals);
    rule.value_ = text.substr(equals + 1);
    return rule;
  }
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return std::nullopt;
  const int hundreds = (text[0] - '0') * 100;
  if (text.substr(1) == "xx") {
    rule.first_ = hundreds;
    rule.last_ = hundreds + 99;
    return rule;
  }
  if (!is_rule_digit(text[1]) || !is_rule_digit(text[2])) return std::nullopt;
  rule.first_ = rule.last_ = hundreds + (text[1] - '0') * 10 + (text[2] - '0');
  return rule;
}

bool HttpRule::holds(int status, const nlohmann::json& body) const {
  if (!looks_inside()) return status >= first_ && status <= last_;
  const auto& found = at_pointer(body, pointer_);
  return !found.is_null() && !found.is_structured() && plain_text(found) == value_;
}

bool is_json_pointer(std::string_view text) {
  if (!text.starts_with('/') || text.size() > 256) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '~' && next != '0' && next != '1') return false;
  }
  return true;
}

bool is_http_rule(std::string_view text) {
  return HttpRule::parse(text).has_value();
}

bool is_http_status_rule(std::string_view text) {
  const auto rule = HttpRule::parse(text);
  return rule && !rule->looks_inside();
}

}  // namespace otpd::providers
