// Issuer: sends a code. Decides, draws, hashes, and commits the verification together with the
// job that delivers it and its audit line; delivery itself is somebody else's.
#pragma once

#include <string>
#include <variant>

#include "otp/cap_desk.h"
#include "otp/captcha_desk.h"
#include "otp/context.h"
#include "otp/deliverability.h"
#include "otp/events.h"
#include "otp/idempotency.h"
#include "otp/policy.h"
#include "otp/recipient.h"
#include "otp/verification.h"

namespace otpd::otp {

// A send as the gateway understood it: every member checked for its form.
struct SendRequest {
  Recipient recipient;
  std::string channel;
  std::string purpose;  // one of Rules::policies
  std::string user_id;  // UUID, or empty
  std::string locale;
  Context context;              // empty unless the policy needs it
  std::string idempotency_key;  // or empty
  std::string caller;           // whose idempotency key it is
  std::string client_ip;        // textual
  std::optional<CaptchaAnswer> captcha = std::nullopt;
  std::string captcha_token = {};  // a vendor's, instead
};

// Refused by a limit: "ip", "user", "recipient" or "resend".
struct RateLimited {
  std::string_view limit;
  Limit rule;
  LimitVerdict verdict;
};
// Refused until a captcha comes along: this one, or another of its kind.
struct CaptchaRequired {
  std::variant<CaptchaChallenge, HostedChallenge> challenge;
  std::string_view reason;  // "missing", or why the one that came is none (captcha_desk.h)
};
// Let through, or a repeat of what was. `verdict` is the recipient's limit.
struct Sent {
  Accepted answer;
  Limit rule;
  LimitVerdict verdict;
  Micros price = 0;  // what it costs; 0 for a repeat
};
// No carrier that could take the message answers.
struct Undeliverable {
  Millis retry_after;
};
// Not among the destinations that are served; why, as refusal() in destination.h says it.
struct NotAllowed {
  std::string_view reason;
};
using SendOutcome = std::variant<Sent, RateLimited, KeyReused, InProgress, Undeliverable,
                                 NotAllowed, CaptchaRequired, CapReached>;

class Issuer {
 public:
  // `routes` and `judge` outlive it; without a judge no vendor's captcha is ever right.
  Issuer(Services services, const Rules& rules, const Deliverability& routes,
         CaptchaJudge* judge = nullptr);

  // Fails with Failure::overloaded, at once and with nothing changed, when the hash queue is full;
  // otherwise as the store does (then a repeat under the same idempotency key is safe).
  // Runs on the caller's loop; safe to call on several loops.
  Task<Result<SendOutcome>> send(SendRequest request);

  CaptchaDesk& captchas() { return captchas_; }
  CapDesk& caps() { return caps_; }
  BlockDesk& blocks() { return caps_.blocks(); }

 private:
  struct Work;
  struct Charge;
  Task<Result<SendOutcome>> refuse(const Work& work, std::string_view reason);
  Task<Result<SendOutcome>> send_once(Work& work, crypto::HashPool::Ticket ticket);
  Task<Result<SendOutcome>> admit_within_limits(Work& work, crypto::HashPool::Ticket ticket);
  Task<Result<Charge>> charge_ip(Work& work);
  Task<Result<Charge>> charge_user(Work& work);
  template <class Rule>
  Task<Result<Charge>> charge_limit(Work& work, Key key, Limit limit, std::string_view name,
                                    Rule further);
  Task<Result<void>> feel_pressure(Work& work);
  Task<Result<std::optional<SendOutcome>>> charge_caps(Work& work);
  Task<Result<std::optional<SendOutcome>>> take_captcha(Work& work, std::uint32_t level);
  CaptchaRequired ask_for_captcha(const Work& work, std::uint32_t level, std::string_view reason);
  Task<Result<std::optional<Admission>>> admit_new_code(Work& work, Record loaded,
                                                        const SendPlan& plan,
                                                        crypto::HashPool::Ticket ticket);
  Task<Result<NewCode>> make_code(Work& work, const SendPlan& plan,
                                  crypto::HashPool::Ticket ticket);
  Result<NewCode> repeat_code(Work& work, const FurtherCode& plan);
  Task<Result<SendOutcome>> send_under_key(Work& work, crypto::HashPool::Ticket ticket);
  Task<Result<SendOutcome>> answer_again(Work& work, Accepted answer);
  std::string seal_job(const Work& work, std::string_view unique, std::string_view job_id);

  Services services_;
  const Rules& rules_;
  const Deliverability& routes_;
  CaptchaDesk captchas_;
  CapDesk caps_;
};

}  // namespace otpd::otp
