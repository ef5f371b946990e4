#include "otp/hosted_captcha.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace otpd::otp {
namespace {

// By how much the vendor's clock may differ from ours.
constexpr Seconds k_vendor_clock{60};
constexpr std::array<std::string_view, 4> k_kind_names{"altcha", "turnstile", "hcaptcha",
                                                       "recaptcha"};

}  // namespace

std::string_view captcha_kind_name(CaptchaKind kind) {
  return k_kind_names.at(static_cast<std::size_t>(kind));
}

// The configuration lets nothing into a site key that JSON would escape; purposes are names.
std::string HostedChallenge::json() const {
  return fmt::format(R"({{"type":"{}","site_key":"{}","action":"{}"}})", captcha_kind_name(kind),
                     site_key, action);
}

std::string_view refusal_of(const VendorVerdict& verdict, const HostedCaptcha& hosted,
                            Seconds lifetime, std::string_view purpose, TimePoint now) {
  if (!verdict.success && verdict.other_site) return k_captcha_other_site;
  if (!verdict.success) return verdict.too_late ? "expired" : "unsolved";
  if (!hosted.hosts.contains(verdict.hostname)) return "host";
  if (!verdict.action.empty() && verdict.action != purpose) return "other";
  if (!verdict.solved_at || *verdict.solved_at > now + k_vendor_clock ||
      *verdict.solved_at + lifetime + k_vendor_clock <= now) {
    return "expired";
  }
  // A score that is no number is below every bound.
  const bool scored = hosted.kind == CaptchaKind::recaptcha && verdict.score.has_value();
  if (scored && !(*verdict.score * 100 >= hosted.min_score_percent)) return "score";
  return {};
}

}  // namespace otpd::otp
