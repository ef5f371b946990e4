// Policy: what a purpose allows. Values come from configuration, which refuses impossible ones.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/secret.h"
#include "crypto/hash_pool.h"
#include "otp/caps.h"
#include "otp/destination.h"
#include "otp/limit.h"
#include "otp/lock.h"

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

// Who makes the captchas: otpd itself, or a vendor.
enum class CaptchaKind : std::uint8_t { altcha, turnstile, hcaptcha, recaptcha };

// Of a vendor's captchas (otp/hosted_captcha.h).
struct HostedCaptcha {
  CaptchaKind kind = CaptchaKind::altcha;
  std::string site_key;
  std::set<std::string, std::less<>> hosts;  // the pages that may have shown them
  std::uint32_t min_score_percent = 50;      // reCAPTCHA v3
  bool altcha_when_away = false;             // ours while the vendor does not answer; or refuse
};

// When a send asks for a captcha, and what that costs who solves it (otp/friction.h).
struct Friction {
  std::uint32_t recipient_sends = 3;         // from this send to one recipient in any window on
  std::uint32_t ip_sends = 30;               // from this request of one address in any window on
  std::uint32_t application_percent = 50;    // every send, when so much of the application's cap
                                             // by the hour is used
  Millis window = std::chrono::minutes(10);  // no longer than the windows of both limits
  Seconds captcha_lifetime{300};
  std::uint32_t captcha_cost = 500;  // PBKDF2 iterations of one try
  std::uint32_t captcha_work = 500;  // tries of the easiest captcha, on average
};

struct Limits {
  Limit recipient_sends{5, std::chrono::hours(1)};
  Limit recipient_guesses{15, std::chrono::hours(1)};
  Limit user_sends{10, std::chrono::hours(1)};
  Limit ip_sends{100, std::chrono::hours(1)};
  Limit ip_guesses{30, std::chrono::hours(1)};       // wrong ones, of an end user's address
  Limit ip_countries{10, std::chrono::hours(1)};     // different ones that an address may send to
  bool ip_countries_shadow = false;                  // what goes beyond is only recorded
  Limit ip_captchas{100, std::chrono::minutes(10)};  // that an address fetches unasked
  Seconds idempotency_ttl{86'400};
  Friction friction;
};

// Authenticator apps and recovery codes.
struct FactorRules {
  std::string issuer = "otpd";  // as apps show it, beside the account
  std::uint32_t max_per_user = 10;
  Seconds enrolment_lifetime{3'600};  // to the first code
  LockRule lock;
  std::uint32_t hotp_look_ahead = 10;
  std::uint32_t hotp_resync_window = 1'000;  // for two consecutive codes
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
  // Whether records that name no application are its own: those from before there were several.
  bool owns_unnamed = true;
  Policies policies;
  Limits limits;
  Destinations destinations;
  bool destinations_shadow = false;  // what is not served is only recorded
  CapRules caps;
  HostedCaptcha captcha = {};
  TestRecipients test_recipients;
  crypto::HashParams hash;
  Seconds session_lifetime{86'400};
  Seconds session_idle{28'800};  // to the end of one that is not used
  std::uint32_t sessions_per_user = 20;
  FactorRules factors;
};

// Whether a recipient's record that names `application` is that of these rules: an id leads to a
// record whoever brings it. What is found by an address, a user or a session's token has the
// application in its key.
bool is_own(const Rules& rules, std::string_view application);

}  // namespace otpd::otp
