// Hosted captchas: those of a vendor, who says whether an answer is right. The port to the vendor,
// and the pure rules about what of its word counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "otp/policy.h"

namespace otpd::otp {

// "turnstile" and so on, as the API and the configuration spell it.
std::string_view captcha_kind_name(CaptchaKind kind);

// What a client needs to show the vendor's widget.
struct HostedChallenge {
  CaptchaKind kind;
  std::string site_key;
  std::string action;  // the purpose: what the widget is to bind its answer to
  std::string json() const;
};

// What the vendor says of one answer.
struct VendorVerdict {
  bool success = false;
  // Of another site than ours, or what we hold of ours does not belong together.
  bool other_site = false;
  bool too_late = false;  // not right, or not any more: expired, or used before
  std::string hostname;   // of the page where it was solved
  std::string action;     // empty: not bound to one
  std::optional<TimePoint> solved_at;
  std::optional<double> score;  // 0 (a program) to 1 (a person)
};

class CaptchaJudge {
 public:
  virtual ~CaptchaJudge() = default;
  // The vendor's word about a client's answer; the vendor takes it once. Failures: unavailable and
  // timeout, also for a vendor that says nothing usable. Safe on several loops.
  virtual Task<Result<VendorVerdict>> ask(std::string token) = 0;
};

// Whoever brings one could have solved it anywhere, and as long as the configuration is wrong
// nobody can bring another: it is no reason to ask for one, of a vendor or ours.
inline constexpr std::string_view k_captcha_other_site = "site";

// Why that is no captcha for a send of this purpose, where one is good for `lifetime`: "unsolved",
// "expired", "host", "other" (for another purpose), "score", k_captcha_other_site; empty if it is
// one.
std::string_view refusal_of(const VendorVerdict& verdict, const HostedCaptcha& hosted,
                            Seconds lifetime, std::string_view purpose, TimePoint now);

}  // namespace otpd::otp
