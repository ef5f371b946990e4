// Code: drawing codes and link tokens, and what of them is stored.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace otpd::otp {

inline constexpr unsigned k_min_digits = 4;
inline constexpr unsigned k_max_digits = 10;
inline constexpr std::size_t k_link_secret_bytes = 16;  // 128 bits

// A code of `digits` decimal digits, each string equally likely: whole 64-bit draws, those beyond
// the last full multiple of 10^digits thrown away.
Secret draw_code(Random& random, unsigned digits);

// Whether `text` is exactly `digits` ASCII digits.
bool is_code(std::string_view text, unsigned digits);

// What is hashed (Argon2id) for a code: HMAC-SHA-256 under the pepper over code and verification
// id. A stolen store is useless without the pepper, and a hash fits one verification only.
Secret code_hash_input(std::string_view pepper, std::string_view verification_id,
                       std::string_view code);

// What is stored for a link's 128-bit secret. It cannot be guessed, so a keyed hash is enough.
std::string link_hash(std::string_view pepper, std::string_view verification_id,
                      std::string_view secret);

}  // namespace otpd::otp
