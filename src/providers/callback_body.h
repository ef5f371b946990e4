// What a carrier's callback carries: fields of a form or query, and header values.
#pragma once

#include <optional>
#include <string_view>

#include "delivery/receipt.h"
#include "net/form.h"

namespace otpd::providers {

inline constexpr std::size_t k_max_callback_bytes = 64 * 1024;
inline constexpr std::size_t k_max_callback_fields = 100;

// Nothing of it may be believed.
std::unexpected<Error> unbelievable(const char* why);

// Whether the body is of that media type, by the one Content-Type it has.
bool has_media_type(const delivery::CallbackRequest& callback, std::string_view type);

// The fields of a form body, or of a query; nothing if it cannot be read or is too large.
std::optional<net::FormFields> body_fields(const delivery::CallbackRequest& callback);
std::optional<net::FormFields> query_fields(const delivery::CallbackRequest& callback);

// The value of the field that is there exactly once; else empty.
std::string_view only_field(const net::FormFields& fields, std::string_view name);

// The value of the header that is there exactly once; else empty.
std::string_view only_header(const delivery::CallbackRequest& callback, std::string_view name);

// Letters, digits and `others`, at least one and at most `max_bytes`: what may pass as an id or
// an error code.
bool is_token(std::string_view text, std::size_t max_bytes, std::string_view others = {});

// An unsigned decimal number of seconds since 1970.
std::optional<TimePoint> unix_time(std::string_view text);

// Whether the two are at most five minutes apart.
bool is_fresh(TimePoint at, TimePoint now);

}  // namespace otpd::providers
