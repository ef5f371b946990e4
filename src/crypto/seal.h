// Sealing: authenticated encryption of what waits in the queue, and of the secrets of authenticator
// apps (XChaCha20-Poly1305, libsodium).
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key_ring.h"

namespace otpd::crypto {

// The sealed form of `plain`: generation id, nonce, ciphertext and tag. `context` is authenticated
// with it: what was sealed for one job opens for no other.
std::string seal(const KeyRing& keys, Random& random, std::string_view plain,
                 std::string_view context);

// The plain bytes; Failure::corrupt if a byte or the context differs, or the key's generation is
// no longer in the ring.
Result<Secret> open(const KeyRing& keys, std::string_view sealed, std::string_view context);

// Whether it was sealed under the ring's newest generation. What is kept for long is sealed anew
// when it was not.
bool is_sealed_by_active(const KeyRing& keys, std::string_view sealed);

}  // namespace otpd::crypto
