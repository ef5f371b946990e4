#include "gateway/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_quoted_name = 40;

// Thrown out of the parser's callback; the parser itself has no way to refuse.
struct Refused {
  std::string detail;
};

// A member's name as a message may show it.
std::string shown(std::string_view name) {
  std::string out(name.substr(0, k_max_quoted_name));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return out;
}

Problem invalid(std::string detail, std::string member = {}) {
  return {.name = ProblemName::invalid_request,
          .detail = std::move(detail),
          .member = std::move(member)};
}

}  // namespace

Checked<nlohmann::json> parse_object(std::string_view text) {
  using nlohmann::json;
  // The parser takes a NUL for the end of the text and skips a byte order mark.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return std::unexpected(
        invalid(fmt::format("The body is not valid JSON (at byte {}).", nul + 1)));
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    return std::unexpected(invalid("The body begins with a byte order mark."));
  }
  std::vector<std::set<std::string>> open;  // the names seen in each object around us
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth >= k_max_json_depth) {
        throw Refused{fmt::format("The body is nested deeper than {}.", k_max_json_depth)};
      }
      if (event == json::parse_event_t::object_start) open.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!open.back().insert(name).second) {
        throw Refused{fmt::format("The member \"{}\" is there twice.", shown(name))};
      }
    }
    return true;
  };
  try {
    json parsed = json::parse(text, check);
    if (!parsed.is_object()) return std::unexpected(invalid("The body must be a JSON object."));
    return parsed;
  } catch (const Refused& refused) {
    return std::unexpected(invalid(refused.detail));
  } catch (const json::parse_error& error) {
    return std::unexpected(
        invalid(fmt::format("The body is not valid JSON (at byte {}).", error.byte)));
  } catch (const json::exception&) {  // a number that no type can hold
    return std::unexpected(invalid("The body holds a number out of range."));
  }
}

Members::Members(const nlohmann::json& object, std::string prefix)
    : object_(object), prefix_(std::move(prefix)) {}

void Members::refuse(ProblemName problem, std::string_view member, std::string detail) {
  if (problem_) return;
  problem_ = Problem{
      .name = problem, .detail = std::move(detail), .member = prefix_ + std::string(member)};
}

const nlohmann::json* Members::find(std::string_view name) {
  asked_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

std::optional<std::string> Members::text(std::string_view name, std::size_t max_bytes) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || problem_) return std::nullopt;
  if (!value->is_string()) {
    refuse(ProblemName::invalid_request, name,
           fmt::format("\"{}{}\" must be a string.", prefix_, name));
    return std::nullopt;
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.empty() || text.size() > max_bytes) {
    refuse(ProblemName::invalid_request, name,
           fmt::format("\"{}{}\" must be 1 to {} bytes long.", prefix_, name, max_bytes));
    return std::nullopt;
  }
  return text;
}

std::optional<std::vector<std::string>> Members::texts(std::string_view name, std::size_t max_items,
                                                       std::size_t max_bytes) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || problem_) return std::nullopt;
  const auto fits = [&](const nlohmann::json& one) {
    if (!one.is_string()) return false;
    const auto& text = one.get_ref<const std::string&>();
    return !text.empty() && text.size() <= max_bytes;
  };
  if (!value->is_array() || value->empty() || value->size() > max_items ||
      !std::ranges::all_of(*value, fits)) {
    refuse(ProblemName::invalid_request, name,
           fmt::format("\"{}{}\" must be a list of 1 to {} strings, each of 1 to {} bytes.",
                       prefix_, name, max_items, max_bytes));
    return std::nullopt;
  }
  return value->get<std::vector<std::string>>();
}

std::optional<std::int64_t> Members::integer(std::string_view name, std::int64_t min,
                                             std::int64_t max) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || problem_) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() ||
                     value->get<std::uint64_t>() <= static_cast<std::uint64_t>(max)) &&
                    value->get<std::int64_t>() >= min && value->get<std::int64_t>() <= max;
  if (!fits) {
    refuse(ProblemName::invalid_request, name,
           fmt::format("\"{}{}\" must be a whole number from {} to {}.", prefix_, name, min, max));
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<bool> Members::boolean(std::string_view name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || problem_) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  refuse(ProblemName::invalid_request, name,
         fmt::format("\"{}{}\" must be true or false.", prefix_, name));
  return std::nullopt;
}

const nlohmann::json* Members::object(std::string_view name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || problem_) return nullptr;
  if (value->is_object()) return value;
  refuse(ProblemName::invalid_request, name,
         fmt::format("\"{}{}\" must be an object.", prefix_, name));
  return nullptr;
}

void Members::number(std::string_view name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr || value->is_number()) return;
  refuse(ProblemName::invalid_request, name,
         fmt::format("\"{}{}\" must be a number.", prefix_, name));
}

std::optional<Problem> Members::finish() {
  for (const auto& [name, value] : object_.items()) {
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    refuse(ProblemName::invalid_request, shown(name),
           fmt::format("There is no member \"{}{}\" in this request.", prefix_, shown(name)));
  }
  return problem_;
}

}  // namespace otpd::gateway
