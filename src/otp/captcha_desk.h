// CaptchaDesk: hands out captchas and redeems them, each once across all processes.
//
// A captcha is redeemed after every limit has let the send through and before its code is drawn:
// what a limit refuses, and what needs no captcha, leaves it as good as it was. Redeeming writes a
// record of its own, in the name of the send's admission: a retry under the same idempotency key
// finds it redeemed for itself and goes on, so a crash between the two records costs nobody a
// captcha. If the send is refused after all (another one was faster and took the last place of a
// limit), the captcha is given back. The charges of IP and user are not: they count requests.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "otp/captcha.h"
#include "otp/services.h"

namespace otpd::otp {

// Who may use a captcha, and for what.
struct CaptchaSubject {
  std::string_view purpose;
  std::string_view recipient_hash;
  std::string_view ip_hash;
};

// Runs on the caller's loop; safe on several loops.
class CaptchaDesk {
 public:
  CaptchaDesk(const Services& services, const Rules& rules);

  // A fresh challenge for that recipient and purpose.
  CaptchaChallenge challenge(const CaptchaSubject& subject, std::uint32_t level) const;

  // Counts a challenge that an address fetches unasked; whether it may have it. Fails as the store
  // does.
  Task<Result<LimitVerdict>> charge_fetch(std::string client_ip);

  // A challenge before anybody asks for one: bound to the purpose and to the client's address, and
  // as hard as the requests of that address ask for. Fails as the store does.
  Task<Result<CaptchaChallenge>> for_address(std::string purpose, std::string client_ip);
  Task<Result<CaptchaChallengeV1>> for_address_v1(std::string purpose, std::string client_ip);

  // What every send has to bring along at the moment; nothing: no captcha. For the challenges
  // before anybody asks for one.
  void set_pressure(std::optional<std::uint32_t> level) { pressure_ = level.value_or(0); }

  // Nothing if the answer was redeemed for that admission (then `proof` says for what), otherwise
  // why not: as check_captcha says, or "other" (of another recipient, purpose or address), "easy"
  // (below `level`), "used". Fails as the store does.
  Task<Result<std::optional<std::string_view>>> redeem(const CaptchaAnswer& answer,
                                                       CaptchaSubject subject, std::uint32_t level,
                                                       std::string admission_id,
                                                       std::optional<CaptchaProof>& proof);

  // Makes a captcha that was redeemed for that admission good again. Only for a send of which
  // nothing was written.
  Task<Result<void>> give_back(CaptchaProof proof, std::string admission_id);

 private:
  Task<Result<std::uint32_t>> level_of(std::string ip_hash);
  Key record_key(const CaptchaProof& proof) const;

  Services services_;
  const Rules& rules_;
  CaptchaKeys keys_;
  std::atomic<std::uint32_t> pressure_ = 0;
};

}  // namespace otpd::otp
