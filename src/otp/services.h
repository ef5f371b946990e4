// Services: what every use-case works with.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "crypto/hash_pool.h"
#include "crypto/key_ring.h"
#include "otp/store.h"

namespace otpd::otp {

// All outlive the use-case.
struct Services {
  Store& store;
  const Clock& clock;
  Random& random;
  const crypto::KeyRing& keys;
  crypto::HashPool& hashes;
};

}  // namespace otpd::otp
