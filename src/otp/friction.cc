#include "otp/friction.h"

#include <algorithm>

namespace otpd::otp {

std::uint32_t count_within(const TimeLog& log, Millis window, TimePoint now) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      log, [&](TimePoint entry) { return now < std::min(entry, now) + window; }));
}

std::optional<std::uint32_t> pressure_level(const Friction& friction, std::uint32_t used_percent) {
  const std::uint32_t threshold = std::clamp(friction.application_percent, 1U, 99U);
  if (used_percent < threshold || used_percent >= 100) return std::nullopt;
  return (used_percent - threshold) * (k_max_captcha_level + 1) / (100 - threshold);
}

std::optional<std::uint32_t> captcha_level(const Friction& friction, std::uint32_t recipient_nth,
                                           std::uint32_t ip_nth,
                                           std::optional<std::uint32_t> pressure) {
  std::optional<std::uint32_t> level = pressure;
  if (recipient_nth >= friction.recipient_sends) {
    level = std::max(level, std::optional(recipient_nth - friction.recipient_sends));
  }
  if (ip_nth >= friction.ip_sends)
    level = std::max(level, std::optional(ip_nth / friction.ip_sends - 1));
  if (level) level = std::min(*level, k_max_captcha_level);
  return level;
}

}  // namespace otpd::otp
