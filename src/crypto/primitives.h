// The primitives everything else is built from; libsodium does the work.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace otpd::crypto {

// Must be called once before anything else of this module; aborts if libsodium cannot start.
void init();

// The kernel's CSPRNG through libsodium. Safe from any thread.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

// HMAC-SHA-256 (RFC 2104): 32 bytes. `key` of any length.
std::string hmac_sha256(std::string_view key, std::string_view message);

// SHA-256 (FIPS 180-4): 32 bytes.
std::string sha256(std::string_view message);

// HMAC-SHA-256 over several parts, each preceded by its length, so that no two lists of parts
// give the same input.
std::string hmac_sha256_parts(std::string_view key, std::initializer_list<std::string_view> parts);

// Whether both are the same bytes, in a time that depends on their lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace otpd::crypto
