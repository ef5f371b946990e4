// HttpRule: one condition on an answer, as the configuration words it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace otpd::providers {

// A status ("404"), a class of statuses ("4xx"), or "POINTER=VALUE" of a JSON body.
class HttpRule {
 public:
  static std::optional<HttpRule> parse(std::string_view text);

  bool looks_inside() const { return !pointer_.empty(); }
  bool holds(int status, const nlohmann::json& body) const;

 private:
  int first_ = 0;
  int last_ = 0;
  std::string pointer_;
  std::string value_;
};

}  // namespace otpd::providers
