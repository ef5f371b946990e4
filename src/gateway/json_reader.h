// Strict JSON: what a request body may be, and typed access to its members.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/problem.h"

namespace otpd::gateway {

template <class T>
using Checked = std::expected<T, Problem>;

inline constexpr int k_max_json_depth = 8;

// The object in `text`. Refuses what is not exactly one JSON object (RFC 8259, UTF-8), is nested
// deeper than k_max_json_depth, or says a member twice. Never quotes what it refuses.
Checked<nlohmann::json> parse_object(std::string_view text);

// Reads members of one object by name and type, and remembers which were asked for, so that
// `finish` can refuse the others by name: a typo must not silently change the security of a
// request. The first refusal stays; every later call returns nothing.
class Members {
 public:
  // `object` must outlive this; `prefix` names it in messages, e.g. "context.".
  explicit Members(const nlohmann::json& object, std::string prefix = {});

  // The member, or nothing if it is absent. Refuses other types, and text over `max_bytes`.
  std::optional<std::string> text(std::string_view name, std::size_t max_bytes);
  // A list of texts, 1 to `max_items` of them.
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t max_items,
                                                std::size_t max_bytes);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<bool> boolean(std::string_view name);
  const nlohmann::json* object(std::string_view name);
  // Refuses the member if it is there and no number.
  void number(std::string_view name);

  // Refuses with this detail unless something was refused before.
  void refuse(ProblemName problem, std::string_view member, std::string detail);

  // Refuses members nobody asked for; then the first refusal, if any.
  std::optional<Problem> finish();
  bool refused() const { return problem_.has_value(); }

 private:
  const nlohmann::json* find(std::string_view name);

  const nlohmann::json& object_;
  std::string prefix_;
  std::vector<std::string> asked_;
  std::optional<Problem> problem_;
};

}  // namespace otpd::gateway
