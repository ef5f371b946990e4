// RawHash: what one Argon2id hash costs on this machine, now, without otpd around it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "statistics.h"

namespace otpd::bench {

struct HashCost {
  std::uint32_t memory_kib = 7168;
  std::uint32_t passes = 5;
};

// The CPU time of one crypto_pwhash (libsodium, argon2id): the mean over `each` hashes on each of
// `threads` threads that run at once. At once because otpd's hash pool runs them so: neighbours
// share caches, memory bandwidth and, with hyper-threading, a core, and a hash that has the
// machine for itself is cheaper than any that a busy otpd can compute.
Nanos raw_hash_cpu(const HashCost& cost, std::size_t threads, std::size_t each);

// The processors that this process may run on: the size of otpd's hash pool.
std::size_t usable_cores();

}  // namespace otpd::bench
