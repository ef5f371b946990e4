// Form bodies: application/x-www-form-urlencoded, and the percent-encoding beneath.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace otpd::net {

// RFC 3986 section 2.1: everything but letters, digits and -._~ becomes %XX.
std::string percent_encode(std::string_view bytes);

// "name=value&…" in the order given, both percent-encoded. One buffer from the start, so that
// growing leaves no copy of a value behind.
using FormViews = std::span<const std::pair<std::string_view, std::string_view>>;
Secret form_encode(FormViews fields);
inline Secret form_encode(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  return form_encode(FormViews(fields.begin(), fields.size()));
}

// The fields of a form body or a query, decoded ('+' is a space), in the order given. Nothing if a
// '%' is not followed by two hexadecimal digits, or there are more than `max_fields`.
using FormFields = std::vector<std::pair<std::string, std::string>>;
std::optional<FormFields> form_decode(std::string_view text, std::size_t max_fields);

}  // namespace otpd::net
