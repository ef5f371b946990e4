// Friction: which send asks for a captcha, and how hard that captcha is.
#pragma once

#include <cstdint>
#include <optional>

#include "otp/policy.h"

namespace otpd::otp {

// Each level doubles the work of the one before.
inline constexpr std::uint32_t k_max_captcha_level = 6;

// How many entries of the log are younger than `window`; one from the future (the clock stepped
// back) is. Changes nothing.
std::uint32_t count_within(const TimeLog& log, Millis window, TimePoint now);

// The level that every send of an application has to bring along when so much of its cap by the
// hour is used, or nothing. It rises evenly from the threshold to the cap; who reaches the cap is
// refused, and has nothing to solve.
std::optional<std::uint32_t> pressure_level(const Friction& friction, std::uint32_t used_percent);

// The level of the captcha that a send has to bring along, or nothing: it is the `recipient_nth`
// send to its recipient and the `ip_nth` request of its address in the window, both counting
// itself. The level rises with every send to the recipient from the threshold on, and whenever the
// address reaches a further multiple of its own. `pressure` is what every send has to bring.
std::optional<std::uint32_t> captcha_level(const Friction& friction, std::uint32_t recipient_nth,
                                           std::uint32_t ip_nth,
                                           std::optional<std::uint32_t> pressure = std::nullopt);

}  // namespace otpd::otp
