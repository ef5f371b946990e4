// The digests and MACs that other parties' protocols ask for; OpenSSL does the work. What is ours
// alone uses primitives.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace otpd::crypto {

// MD5 and SHA-1 only serve to check what carriers sign with them; as keyed MACs they still hold.
enum class Digest : std::uint8_t { md5, sha1, sha256, sha512 };

// The digest of the message: 16, 20, 32 or 64 bytes.
std::string digest(Digest algorithm, std::string_view message);

// HMAC (RFC 2104) over that digest, of the same size. `key` of any length.
std::string hmac(Digest algorithm, std::string_view key, std::string_view message);

// PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2): `size` bytes, for up to 32 bytes at the price of
// two SHA-256 blocks for each iteration. At least one iteration.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations, std::size_t size);

}  // namespace otpd::crypto
