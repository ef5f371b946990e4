// Form bodies: application/x-www-form-urlencoded, and the percent-encoding beneath.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret.h"

namespace otpd::net {

// RFC 3986 section 2.1: everything but letters, digits and -._~ becomes %XX.
std::string percent_encode(std::string_view bytes);

// "name=value&…" in the order given, both percent-encoded. One buffer from the start, so that
// growing leaves no copy of a value behind.
Secret form_encode(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

}  // namespace otpd::net
