// Device: what a caller may name the device that a session is opened on.
#pragma once

#include <cstddef>
#include <string_view>

namespace otpd::otp {

inline constexpr std::size_t k_max_device_letters = 64;
inline constexpr std::size_t k_max_device_bytes = 4 * k_max_device_letters;

// Whether `text` is a label that people can be shown: a visible line of 1 to 64 letters
// (base/visible_text.h).
bool is_device_label(std::string_view text);

}  // namespace otpd::otp
