// Policy: what a purpose allows. Values come from configuration, which refuses impossible ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/secret.h"
#include "crypto/hash_pool.h"
#include "otp/destination.h"
#include "otp/limit.h"

namespace otpd::otp {

// What a resend does while a verification lives: a new code beside the earlier ones, or the same
// code again.
enum class Resend : std::uint8_t { new_code, same_code };

struct Policy {
  Seconds lifetime{300};
  std::uint32_t digits = 6;
  std::uint32_t attempts = 3;
  Resend resend = Resend::new_code;
  std::uint32_t live_codes = 2;  // codes valid at once under Resend::new_code
  Seconds resend_after{30};
  bool opens_session = true;
  bool needs_context = false;  // amount, currency and payee are bound to the code
  bool has_link = false;       // a 128-bit link token goes with the code
};

// By purpose.
using Policies = std::map<std::string, Policy, std::less<>>;

struct Limits {
  Limit recipient_sends{5, std::chrono::hours(1)};
  Limit recipient_guesses{15, std::chrono::hours(1)};
  Limit user_sends{10, std::chrono::hours(1)};
  Limit ip_sends{100, std::chrono::hours(1)};
  Seconds idempotency_ttl{86'400};
};

// A recipient whose code never changes, for those who review an app: nothing is sent there, and
// sends are not limited. Guesses are, as everybody's.
struct TestRecipient {
  Secret code;
  TimePoint expires_at;  // from then on it is a recipient like any other
};

// By Recipient::identity.
using TestRecipients = std::map<std::string, TestRecipient, std::less<>>;

// The test recipient that this is at `now`, or null.
const TestRecipient* find_test_recipient(const TestRecipients& all, const Recipient& recipient,
                                         TimePoint now);

// What the use-cases of one application are made with.
struct Rules {
  std::string application = "default";
  Policies policies;
  Limits limits;
  Destinations destinations;
  bool destinations_shadow = false;  // what is not served is only recorded
  TestRecipients test_recipients;
  crypto::HashParams hash;
  Seconds session_lifetime{86'400};
  std::uint32_t sessions_per_user = 20;
};

}  // namespace otpd::otp
