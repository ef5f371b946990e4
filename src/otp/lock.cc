#include "otp/lock.h"

#include <algorithm>
#include <limits>

namespace otpd::otp {

Millis lock_length(const LockRule& rule, std::uint32_t count) {
  if (count < rule.guesses) return Millis(0);
  Millis length = std::min(rule.first, rule.longest);
  for (std::uint32_t i = rule.guesses; i < count && length < rule.longest; ++i) {
    length = std::min(2 * length, rule.longest);
  }
  return length;
}

Millis closed_for(WrongCodes& wrong, const LockRule& rule, TimePoint now) {
  wrong.closed_until = std::min(wrong.closed_until, now + lock_length(rule, wrong.count));
  return wrong.closed_until <= now ? Millis(0) : wrong.closed_until - now;
}

void count_wrong(WrongCodes& wrong, const LockRule& rule, TimePoint now) {
  if (wrong.count < std::numeric_limits<std::uint32_t>::max()) ++wrong.count;
  wrong.closed_until = now + lock_length(rule, wrong.count);
}

std::uint32_t guesses_left(const WrongCodes& wrong, const LockRule& rule) {
  return wrong.count < rule.guesses ? rule.guesses - wrong.count : 1;
}

}  // namespace otpd::otp
