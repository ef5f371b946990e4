#include "providers/callback_body.h"

#include <algorithm>
#include <charconv>

#include "net/http_message.h"

namespace otpd::providers {
namespace {

constexpr Seconds k_callback_tolerance{300};
constexpr std::size_t k_max_unix_time_digits = 12;

bool is_callback_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::unexpected<Error> unbelievable(const char* why) {
  return fail(Failure::invalid, why);
}

bool has_media_type(const delivery::CallbackRequest& callback, std::string_view type) {
  std::string_view given = only_header(callback, "Content-Type");
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ')) given.remove_suffix(1);
  return net::same_name(given, type);
}

std::optional<net::FormFields> body_fields(const delivery::CallbackRequest& callback) {
  if (callback.body.size() > k_max_callback_bytes) return std::nullopt;
  return net::form_decode(callback.body, k_max_callback_fields);
}

std::optional<net::FormFields> query_fields(const delivery::CallbackRequest& callback) {
  if (callback.query.size() > k_max_callback_bytes) return std::nullopt;
  return net::form_decode(callback.query, k_max_callback_fields);
}

std::string_view only_field(const net::FormFields& fields, std::string_view name) {
  const auto is_it = [&](const auto& field) { return field.first == name; };
  if (std::ranges::count_if(fields, is_it) != 1) return {};
  return std::ranges::find_if(fields, is_it)->second;
}

std::string_view only_header(const delivery::CallbackRequest& callback, std::string_view name) {
  if (net::count_headers(callback.headers, name) != 1) return {};
  return net::find_header(callback.headers, name);
}

bool is_token(std::string_view text, std::size_t max_bytes, std::string_view others) {
  return !text.empty() && text.size() <= max_bytes && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_callback_digit(c) ||
           others.find(c) != others.npos;
  });
}

std::optional<TimePoint> unix_time(std::string_view text) {
  if (text.empty() || text.size() > k_max_unix_time_digits ||
      !std::ranges::all_of(text, is_callback_digit)) {
    return std::nullopt;
  }
  std::int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return TimePoint(Seconds(seconds));
}

bool is_fresh(TimePoint at, TimePoint now) {
  return at <= now + k_callback_tolerance && at >= now - k_callback_tolerance;
}

}  // namespace otpd::providers
