#include "crypto/primitives.h"

#include <sodium.h>

#include <array>
#include <cstdlib>

namespace otpd::crypto {
namespace {

const unsigned char* as_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct Hmac {
  explicit Hmac(std::string_view key) {
    crypto_auth_hmacsha256_init(&state, as_bytes(key), key.size());
  }
  ~Hmac() { sodium_memzero(&state, sizeof state); }
  void add(std::string_view bytes) {
    crypto_auth_hmacsha256_update(&state, as_bytes(bytes), bytes.size());
  }
  std::string finish() {
    std::string out(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
    return out;
  }
  crypto_auth_hmacsha256_state state;
};

}  // namespace

void init() {
  if (sodium_init() < 0) std::abort();
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  randombytes_buf(out.data(), out.size());
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  Hmac hmac(key);
  hmac.add(message);
  return hmac.finish();
}

std::string sha256(std::string_view message) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()), as_bytes(message),
                     message.size());
  return out;
}

std::string hmac_sha256_parts(std::string_view key, std::initializer_list<std::string_view> parts) {
  Hmac hmac(key);
  for (const std::string_view part : parts) {
    std::array<char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
      length[i] = static_cast<char>(part.size() >> (8 * i));
    }
    hmac.add({length.data(), length.size()});
    hmac.add(part);
  }
  return hmac.finish();
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace otpd::crypto
