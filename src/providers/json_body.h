// JSON as carriers send it: bounded, and read without trust.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace otpd::providers {

inline constexpr std::size_t k_max_json_bytes = 64 * 1024;

// The document; null if it is too long or no JSON.
nlohmann::json read_json(std::string_view body);

// The member of an object, or null.
const nlohmann::json& member(const nlohmann::json& object, const char* name);

// A text, or a number's or boolean's digits or word; anything else, and what is longer than
// `max_bytes`, is empty.
std::string plain_text(const nlohmann::json& value, std::size_t max_bytes = 256);

// What stands at an RFC 6901 pointer, or null.
const nlohmann::json& at_pointer(const nlohmann::json& document, const std::string& pointer);

// `text` as it stands between the quotes of a JSON string; what is no UTF-8 becomes U+FFFD.
std::string json_escape(std::string_view text);

}  // namespace otpd::providers
