// House: the use-cases over one backend, put together as the service does it, with everything
// that a test moves by hand: the clock, the keys, the rules, the store's faults.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backends.h"
#include "crypto/hash_pool.h"
#include "crypto/key_ring.h"
#include "crypto/primitives.h"
#include "faulty_store.h"
#include "otp/factors.h"
#include "otp/issuer.h"
#include "otp/payload.h"
#include "otp/sessions.h"
#include "otp/verifications.h"
#include "otp/verifier.h"

namespace otpd::usecase {

namespace type = audit::event_type;

// Seeded, and safe from any thread.
class LockedRandom final : public Random {
 public:
  explicit LockedRandom(std::uint64_t seed) : behind_(seed) {}
  void fill(std::span<std::uint8_t> out) override {
    const std::lock_guard lock(mutex_);
    behind_.fill(out);
  }

 private:
  std::mutex mutex_;
  SeededRandom behind_;
};

inline constexpr crypto::HashParams k_cheap{crypto::HashParams::Algorithm::hmac, 0, 0};
// The real algorithm, as small as libsodium takes it.
inline constexpr crypto::HashParams k_small_argon{crypto::HashParams::Algorithm::argon2id, 8, 1};

inline constexpr const char* k_phone = "+14155552671";
inline constexpr const char* k_user = "550e8400-e29b-41d4-a716-446655440000";
inline constexpr const char* k_ip = "203.0.113.7";

// The right code's length, but never the right code.
std::string other_code(std::string_view code);

// A folder in memory where there is one, so that a race is about threads and not about the disk.
std::filesystem::path fast_folder();

// Whether messages can go anywhere, as told.
struct Roads final : otp::Deliverability {
  std::optional<Millis> unavailable_for(std::string_view, std::string_view) const override {
    return blocked;
  }
  std::optional<Millis> blocked;
};

// What the captchas' vendor says, as told; away unless told.
struct Vendor final : otp::CaptchaJudge {
  Task<Result<otp::VendorVerdict>> ask(std::string token) override {
    ++asked;
    if (!says) co_return fail(Failure::timeout, "no answer");
    co_return says(token);
  }
  std::function<Result<otp::VendorVerdict>(const std::string&)> says;
  std::atomic<int> asked = 0;
};

class House {
 public:
  explicit House(const storage::BackendKind& kind, crypto::HashPool::Config pool = {2, 512});

  otp::Services services() { return {store, world.clock, random, keys, hashes}; }

  otp::Recipient recipient(std::string phone = k_phone) const;
  otp::SendRequest send_request(const std::string& phone = k_phone,
                                const std::string& purpose = "login") const;
  otp::VerifyRequest verify_request(std::string_view code, const std::string& phone = k_phone,
                                    const std::string& purpose = "login") const;

  Result<otp::SendOutcome> try_send(otp::SendRequest request);
  otp::SendOutcome send(otp::SendRequest request);
  // Sends, expects it to be let through, and takes its job out of the queue.
  otp::Payload send_and_take(otp::SendRequest request);
  otp::Payload send_and_take() { return send_and_take(send_request()); }
  // What waits in the queue, opened; the queue is empty afterwards.
  std::vector<otp::Payload> take_all();

  Result<otp::VerifyOutcome> try_verify(otp::VerifyRequest request);
  otp::VerifyOutcome verify(otp::VerifyRequest request);
  otp::VerifyOutcome verify(std::string_view code) { return verify(verify_request(code)); }
  std::optional<otp::Verification> find(const otp::VerificationId& id);
  std::string status(const otp::VerificationId& id);

  // The types of the audit lines so far, in no order.
  std::vector<std::string> event_types();
  std::vector<audit::Event> events(std::string_view type);
  // How many hashes went through the pool's threads.
  int hashed();

  storage::World world{fast_folder()};
  LockedRandom random{11};
  crypto::KeyRing keys;
  otp::Rules rules;
  Roads roads;
  Vendor vendor;
  FaultyStore store;
  crypto::HashPool hashes;
  otp::Sessions sessions;
  otp::Factors factors;
  otp::Issuer issuer;
  otp::Verifier verifier;
  otp::Verifications verifications;
};

// The purposes of the service: login (a session), transaction (a context), password_reset (a link).
otp::Rules make_test_rules();

class UseCase : public ::testing::TestWithParam<storage::BackendKind> {
 protected:
  House house_{GetParam()};
};

inline const auto k_houses =
    ::testing::Values(storage::BackendKind{"memory", storage::open_memory_backend},
                      storage::BackendKind{"sqlite", storage::open_default_sqlite},
                      storage::BackendKind{"redis", storage::open_redis});

}  // namespace otpd::usecase
