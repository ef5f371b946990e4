#include "otp/code.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "crypto/primitives.h"

namespace otpd::otp {

Secret draw_code(Random& random, unsigned digits) {
  assert(digits >= k_min_digits && digits <= k_max_digits);
  std::uint64_t range = 1;
  for (unsigned i = 0; i < digits; ++i) range *= 10;
  const std::uint64_t bound = std::numeric_limits<std::uint64_t>::max() / range * range;
  std::uint64_t drawn = random.u64();
  while (drawn >= bound) drawn = random.u64();
  drawn %= range;
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, drawn /= 10) {
    *digit = static_cast<char>('0' + drawn % 10);
  }
  return Secret(std::move(text));
}

bool is_code(std::string_view text, unsigned digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Secret code_hash_input(std::string_view pepper, std::string_view verification_id,
                       std::string_view code) {
  return Secret(crypto::hmac_sha256_parts(pepper, {"code", verification_id, code}));
}

std::string link_hash(std::string_view pepper, std::string_view verification_id,
                      std::string_view secret) {
  return crypto::hmac_sha256_parts(pepper, {"link", verification_id, secret});
}

}  // namespace otpd::otp
