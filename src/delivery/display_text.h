// Text from outside, made fit to be shown inside a message.
#pragma once

#include <string>
#include <string_view>

namespace otpd::delivery {

// `text` (UTF-8) with every run of white space, control characters, line and paragraph separators,
// direction marks and zero-width characters made one space, and none at either end: one visible
// line that reads in the order in which it is stored.
std::string one_visible_line(std::string_view text);

}  // namespace otpd::delivery
