// Verifier: checks a code. Reserve (an attempt is taken and committed), hash, consume: whatever
// crashes or races in between, at most one caller is told yes, and at most as many guesses are
// hashed as the policy allows.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "otp/issuer.h"
#include "otp/sessions.h"

namespace otpd::otp {

struct VerifyRequest {
  Recipient recipient;
  std::string purpose;          // one of Rules::policies
  Context context;              // must repeat what the send confirmed
  std::string verification_id;  // unique part; or empty
  Secret code;
  std::string caller;  // who asks, if it showed an API key
  std::string client_ip;
  // The address whose wrong guesses are limited: the end user's, where it is known. Empty for a
  // server that asks for many and does not tell.
  std::string limited_ip = {};
  std::string device = {};  // for the session that a yes opens (device.h); may be empty
};

// Yes. `session` is empty where the purpose opens none.
struct Verified {
  VerificationId id;
  std::string user_id;  // the caller's, or one derived from the recipient
  Secret session;
  Seconds session_expires_in{0};
  std::string lane;       // that carried the code; may be empty
  std::string country;    // of the phone; may be empty
  bool repeated = false;  // the same caller got this answer before
};
struct WrongCode {
  std::uint32_t attempts_remaining = 0;  // 0: poisoned, a new code is needed
};
using VerifyOutcome = std::variant<Verified, WrongCode, Exhausted, Gone, BadCode, RateLimited>;

class Verifier {
 public:
  Verifier(Services services, const Rules& rules, Sessions& sessions);

  // Fails with Failure::overloaded, at once and with no attempt taken, when the hash queue is
  // full; otherwise as the store does. Runs on the caller's loop; safe on several loops.
  Task<Result<VerifyOutcome>> verify(VerifyRequest request);

  // The same by the token of a link: it needs no attempts, 128 bits are not guessed.
  Task<Result<VerifyOutcome>> verify_link(const LinkToken& token, std::string caller,
                                          std::string client_ip, std::string device = {});

 private:
  struct Work;
  Task<Result<std::optional<RateLimited>>> check_address(const Work& work, const std::string& ip);
  Task<Result<void>> count_wrong_guess(const std::string& ip);
  Key guesses_key(const std::string& ip) const;
  Task<Result<Reservation>> reserve_attempt(const Work& work, const VerifyRequest& request);
  template <class Rule>
  Task<Result<VerifyOutcome>> settle_record(Work& work, Rule rule);
  Task<Result<VerifyOutcome>> open_session(Work& work, const Approved& yes);
  Task<Result<VerifyOutcome>> answer_again(const Work& work, const Repeated& repeated);
  std::string seal_session(const Work& work, const Approved& yes) const;
  Verified verified(const Work& work, const Approved& yes) const;

  Services services_;
  const Rules& rules_;
  Sessions& sessions_;
  BlockDesk blocks_;
};

}  // namespace otpd::otp
