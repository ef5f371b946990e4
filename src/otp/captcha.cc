#include "otp/captcha.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

constexpr std::string_view k_algorithm = "PBKDF2/SHA-256";
constexpr std::size_t k_nonce_bytes = 16;
constexpr std::size_t k_salt_v1_bytes = 12;
constexpr std::size_t k_binding_bytes = 16;
constexpr std::uint32_t k_key_bytes = 32;
// The other half stays secret, so that the key signature proves that the key was derived.
constexpr std::size_t k_prefix_bytes = k_key_bytes / 2;
constexpr std::uint32_t k_max_counter = 0xffff'fff0;

std::string hex_mac(const Secret& key, std::string_view message) {
  return hex_encode(crypto::hmac_sha256(key.reveal(), message));
}

std::string captcha_password(std::string_view nonce, std::uint32_t counter) {
  std::string password(nonce);
  for (int shift = 24; shift >= 0; shift -= 8) {
    password += static_cast<char>(counter >> shift & 0xff);
  }
  return password;
}

// Uniform in 1..2 * mean: on average as many tries as the mean, however they are made.
std::uint32_t draw_counter(Random& random, std::uint64_t mean) {
  const std::uint64_t range = std::min<std::uint64_t>(2 * mean, k_max_counter);
  return static_cast<std::uint32_t>(random.u64() % range +
                                    1);  // range << 2^64: no bias to speak of
}

std::int64_t deadline(const Friction& friction, TimePoint now) {
  return std::chrono::floor<Seconds>(now + friction.captcha_lifetime).time_since_epoch().count();
}

TimePoint at_second(std::int64_t seconds) {
  return TimePoint(Seconds(seconds));
}

// Takes `word` off the front of `text`.
bool skip(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

template <class Number>
bool take_number(std::string_view& text, Number& to) {
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (bad != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// The "&" at the end keeps the number apart from the deadline.
std::string salt_v1(std::string_view random_hex, std::string_view binding, std::int64_t expires_at,
                    std::uint32_t level) {
  return fmt::format("{}?binding={}&expires={}&level={}&", random_hex, binding, expires_at, level);
}

struct SaltV1 {
  std::string binding;
  std::int64_t expires_at = 0;
  std::uint32_t level = 0;
};

// Nothing unless it is, byte for byte, what salt_v1 writes.
std::optional<SaltV1> read_salt_v1(std::string_view text) {
  if (text.size() < 2 * k_salt_v1_bytes) return std::nullopt;
  const std::string_view random_hex = text.substr(0, 2 * k_salt_v1_bytes);
  std::string_view rest = text.substr(random_hex.size());
  SaltV1 salt;
  if (!skip(rest, "?binding=") || rest.size() < 2 * k_binding_bytes) return std::nullopt;
  salt.binding = rest.substr(0, 2 * k_binding_bytes);
  rest.remove_prefix(2 * k_binding_bytes);
  const bool whole = skip(rest, "&expires=") && take_number(rest, salt.expires_at) &&
                     skip(rest, "&level=") && take_number(rest, salt.level);
  if (!whole || salt_v1(random_hex, salt.binding, salt.expires_at, salt.level) != text) {
    return std::nullopt;
  }
  return salt;
}

std::expected<CaptchaProof, std::string_view> check_one(const CaptchaKeys& keys,
                                                        const CaptchaSolution& answer,
                                                        TimePoint now) {
  const CaptchaParameters& asked = answer.challenge.parameters;
  const std::string signature = hex_mac(keys.challenge, asked.json());
  if (!crypto::equal_constant_time(signature, answer.challenge.signature)) {
    return std::unexpected("forged");
  }
  if (at_second(asked.expires_at) <= now) return std::unexpected("expired");
  const auto key = hex_decode(answer.derived_key);
  if (!key || key->size() != k_key_bytes ||
      !crypto::equal_constant_time(hex_mac(keys.solution, *key), asked.key_signature)) {
    return std::unexpected("unsolved");
  }
  return CaptchaProof{signature, asked.binding, asked.level, at_second(asked.expires_at)};
}

std::expected<CaptchaProof, std::string_view> check_one(const CaptchaKeys& keys,
                                                        const CaptchaSolutionV1& answer,
                                                        TimePoint now) {
  const std::string signature = hex_mac(keys.version_1, answer.challenge);
  const auto salt = read_salt_v1(answer.salt);
  if (!salt || !crypto::equal_constant_time(signature, answer.signature)) {
    return std::unexpected("forged");
  }
  // Only the right number ties the salt to what was signed.
  const std::string derived =
      hex_encode(crypto::sha256(answer.salt + std::to_string(answer.number)));
  if (!crypto::equal_constant_time(derived, answer.challenge)) return std::unexpected("unsolved");
  if (at_second(salt->expires_at) <= now) return std::unexpected("expired");
  return CaptchaProof{signature, salt->binding, salt->level, at_second(salt->expires_at)};
}

}  // namespace

CaptchaKeys CaptchaKeys::derive(std::string_view index_key, std::string_view application) {
  const auto secret = [&](std::string_view use) {
    return Secret(hex_encode(crypto::hmac_sha256_parts(index_key, {"captcha", application, use})));
  };
  return {secret("challenge"), secret("solution"), secret("version 1"), secret("binding")};
}

std::string captcha_binding(const CaptchaKeys& keys, std::string_view purpose,
                            std::string_view kind, std::string_view hash) {
  const std::string mac = crypto::hmac_sha256_parts(keys.binding.reveal(), {purpose, kind, hash});
  return hex_encode(std::string_view(mac).substr(0, k_binding_bytes));
}

std::string CaptchaParameters::json() const {
  return fmt::format(
      R"({{"algorithm":"{}","cost":{},"data":{{"binding":"{}","level":{}}},"expiresAt":{},)"
      R"("keyLength":{},"keyPrefix":"{}","keySignature":"{}","nonce":"{}","salt":"{}"}})",
      algorithm, cost, binding, level, expires_at, key_length, key_prefix, key_signature, nonce,
      salt);
}

std::string CaptchaChallenge::json() const {
  return fmt::format(R"({{"parameters":{},"signature":"{}"}})", parameters.json(), signature);
}

std::string CaptchaChallengeV1::json() const {
  return fmt::format(
      R"({{"algorithm":"SHA-256","challenge":"{}","maxnumber":{},"salt":"{}","signature":"{}"}})",
      challenge, max_number, salt, signature);
}

CaptchaChallenge make_captcha(const CaptchaKeys& keys, const Friction& friction,
                              std::string_view binding, std::uint32_t level, Random& random,
                              TimePoint now) {
  const std::string nonce = random.bytes(k_nonce_bytes);
  const std::string salt = random.bytes(k_nonce_bytes);
  const std::uint64_t work = std::uint64_t{friction.captcha_work} << level;
  const std::string key = crypto::pbkdf2_sha256(captcha_password(nonce, draw_counter(random, work)),
                                                salt, friction.captcha_cost, k_key_bytes);
  CaptchaChallenge made{{.algorithm = std::string(k_algorithm),
                         .cost = friction.captcha_cost,
                         .binding = std::string(binding),
                         .level = level,
                         .expires_at = deadline(friction, now),
                         .key_length = k_key_bytes,
                         .key_prefix = hex_encode(std::string_view(key).substr(0, k_prefix_bytes)),
                         .key_signature = hex_mac(keys.solution, key),
                         .nonce = hex_encode(nonce),
                         .salt = hex_encode(salt)},
                        {}};
  made.signature = hex_mac(keys.challenge, made.parameters.json());
  return made;
}

CaptchaChallengeV1 make_captcha_v1(const CaptchaKeys& keys, const Friction& friction,
                                   std::string_view binding, std::uint32_t level, Random& random,
                                   TimePoint now) {
  // As many hashes as version 2 asks for: two blocks for each iteration.
  const std::uint64_t work = (2ULL * friction.captcha_work * friction.captcha_cost) << level;
  const std::uint32_t number = draw_counter(random, work);
  CaptchaChallengeV1 made;
  made.salt =
      salt_v1(hex_encode(random.bytes(k_salt_v1_bytes)), binding, deadline(friction, now), level);
  made.challenge = hex_encode(crypto::sha256(made.salt + std::to_string(number)));
  made.max_number = static_cast<std::uint32_t>(std::min<std::uint64_t>(2 * work, k_max_counter));
  made.signature = hex_mac(keys.version_1, made.challenge);
  return made;
}

std::expected<CaptchaProof, std::string_view> check_captcha(const CaptchaKeys& keys,
                                                            const CaptchaAnswer& answer,
                                                            TimePoint now) {
  return std::visit([&](const auto& one) { return check_one(keys, one, now); }, answer);
}

bool redeem(CaptchaState& state, std::string_view admission_id) {
  if (state.admission_id.empty()) state.admission_id = admission_id;
  return state.admission_id == admission_id;
}

}  // namespace otpd::otp
