// HashPool: Argon2id on a fixed set of threads with a bounded queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/metrics.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"

namespace otpd::crypto {

// How a code is hashed. Stored with every hash, so that a change of the configuration does not
// break live codes.
struct HashParams {
  enum class Algorithm : std::uint8_t { argon2id = 1, hmac = 2 };
  Algorithm algorithm = Algorithm::argon2id;
  std::uint32_t memory_kib = 7168;  // OWASP's equivalent of 19 MiB and 2 passes
  std::uint32_t passes = 5;
  bool operator==(const HashParams&) const = default;
};

inline constexpr std::size_t k_salt_bytes = 16;  // crypto_pwhash_SALTBYTES
inline constexpr std::size_t k_digest_bytes = 32;

// The digest of `input` under `params`, on the calling thread: milliseconds for Argon2id
// (RFC 9106, p = 1), about a microsecond for the keyed hash alone (HMAC-SHA-256 under the salt;
// the secret is in `input` already). `salt` is k_salt_bytes long. Failures: overloaded if the
// memory cannot be had; invalid if salt or parameters are out of libsodium's range (8 KiB, 1 pass
// and up).
Result<std::string> hash_now(const HashParams& params, std::string_view input,
                             std::string_view salt);

// One hashing thread per core and a bounded queue before them. More threads than cores only
// thrash the cache; a longer queue only makes answers that nobody waits for. The threads run at a
// lower priority than event loops; at most `threads` hashes take their memory at once. Destroy it
// after the last ticket and before the loops on which somebody waits for a hash.
class HashPool {
 public:
  struct Config {
    unsigned threads = 0;     // 0: one per core that the process may run on
    std::size_t queue = 64;   // waiting hashes; more are refused
    Millis deadline{10'000};  // for each hash, waiting included
  };

  // A place on a thread or in the queue. Take it before the first write of a request, so that an
  // overloaded service refuses before it has changed anything. Gives the place back when it dies
  // unused.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket();

   private:
    friend class HashPool;
    explicit Ticket(HashPool* pool) : pool_(pool) {}
    HashPool* pool_;
  };

  // `wait_seconds` observes the time a hash waits for a thread.
  HashPool(const Config& config, Histogram wait_seconds);
  // Waits for the running hashes; answers the waiting ones with Failure::unavailable.
  ~HashPool();
  HashPool(const HashPool&) = delete;
  HashPool& operator=(const HashPool&) = delete;

  // A place, or Failure::overloaded at once. Safe from any thread.
  Result<Ticket> reserve();

  // Like hash_now, on the pool's threads; the cheap algorithm runs at once on the caller's.
  // Uses the ticket up; its place is free again when the hash has ended, even if nobody waits for
  // it any more. Failures: those of hash_now, timeout, unavailable (shutting down).
  Task<Result<std::string>> hash(Ticket ticket, HashParams params, Secret input, std::string salt);

  // Hashes waiting or running now.
  std::size_t depth() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace otpd::crypto
