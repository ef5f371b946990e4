#include "otp/friction.h"

#include <algorithm>

namespace otpd::otp {

std::uint32_t count_within(const TimeLog& log, Millis window, TimePoint now) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      log, [&](TimePoint entry) { return now < std::min(entry, now) + window; }));
}

std::optional<std::uint32_t> captcha_level(const Friction& friction, std::uint32_t recipient_nth,
                                           std::uint32_t ip_nth) {
  std::optional<std::uint32_t> level;
  if (recipient_nth >= friction.recipient_sends) level = recipient_nth - friction.recipient_sends;
  if (ip_nth >= friction.ip_sends)
    level = std::max(level, std::optional(ip_nth / friction.ip_sends - 1));
  if (level) level = std::min(*level, k_max_captcha_level);
  return level;
}

}  // namespace otpd::otp
