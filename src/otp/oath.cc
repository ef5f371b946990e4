#include "otp/oath.h"

#include <algorithm>
#include <array>

#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

using How = OathMatch::How;

bool is_oath_code(const OathParams& params, std::string_view secret, std::string_view code,
                  std::uint64_t counter) {
  return crypto::equal_constant_time(oath_code(params, secret, counter).reveal(), code);
}

}  // namespace

Secret oath_code(const OathParams& params, std::string_view secret, std::uint64_t counter) {
  std::array<char, 8> message{};
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] = static_cast<char>(counter >> (56 - 8 * i));
  }
  std::string mac = crypto::hmac(params.digest, secret, {message.data(), message.size()});
  const std::size_t offset = static_cast<std::uint8_t>(mac.back()) & 15U;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<std::uint8_t>(mac[offset + i]);
  }
  value &= 0x7fff'ffff;
  wipe(mac);
  std::string text(params.digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value /= 10) {
    *digit = static_cast<char>('0' + value % 10);
  }
  return Secret(std::move(text));
}

std::uint64_t time_step(const OathParams& params, TimePoint now) {
  const auto seconds = std::chrono::floor<Seconds>(now.time_since_epoch());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds / params.period, 0));
}

OathMatch match_totp(const OathParams& params, std::string_view secret, std::string_view code,
                     std::uint64_t next, TimePoint now) {
  const std::uint64_t middle = time_step(params, now);
  OathMatch match{How::wrong, next};
  for (std::uint64_t step = middle == 0 ? 0 : middle - 1; step <= middle + 1; ++step) {
    if (!is_oath_code(params, secret, code, step)) continue;
    if (step >= next) {
      match = {How::right, step + 1};
    } else if (match.how == How::wrong) {
      match.how = How::used;
    }
  }
  return match;
}

OathMatch match_hotp(const OathParams& params, std::string_view secret, std::string_view code,
                     std::uint64_t next, std::uint32_t look_ahead) {
  OathMatch match{How::wrong, next};
  if (next > 0 && is_oath_code(params, secret, code, next - 1)) match.how = How::used;
  for (std::uint64_t counter = next; counter - next <= look_ahead; ++counter) {
    if (match.how != How::right && is_oath_code(params, secret, code, counter)) {
      match = {How::right, counter + 1};
    }
  }
  return match;
}

OathMatch match_hotp_pair(const OathParams& params, std::string_view secret, std::string_view code,
                          std::string_view following_code, std::uint64_t next,
                          std::uint32_t window) {
  for (std::uint64_t counter = next; counter - next <= window; ++counter) {
    if (is_oath_code(params, secret, code, counter) &&
        is_oath_code(params, secret, following_code, counter + 1)) {
      return {How::right, counter + 2};
    }
  }
  return {How::wrong, next};
}

}  // namespace otpd::otp
