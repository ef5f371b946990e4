// The rules of a verification: attempts, expiry, single use, poison, live codes on resend, status.
// Pure functions of (state, input, now); each changes the state it is given and says what
// happened. The caller commits the state or throws it away.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "otp/policy.h"
#include "otp/repeat.h"
#include "otp/state.h"

namespace otpd::otp {

// Ends every live verification whose deadline has passed, and returns their unique ids, so that
// each expiry is reported once; forgets the answers that nobody can have again. Call it first on a
// state that was loaded; a clock that stepped back does not lengthen a life.
std::vector<std::string> expire(RecipientState& state, TimePoint now);

// --- sending -----------------------------------------------------------------------------------

struct SendQuestion {
  std::string_view purpose;
  std::string_view context_hash;
  std::string_view admission_id;
  const Policy& policy;
  const Limits& limits;
  std::uint32_t ip_sends = 0;  // requests of its address in the friction's window, with this one
  std::optional<std::uint32_t> captcha_level = std::nullopt;  // of the captcha that was solved
  bool test_recipient = false;                                // no limit and no cool-down
  std::optional<std::uint32_t> pressure = std::nullopt;       // level that every send has to bring
};

// The send was let through before, under the same admission id.
struct AlreadyAdmitted {
  Admission admission;
};
// Refused by the limit of that name.
struct SendLimited {
  std::string_view limit;  // "recipient" or "resend"
  LimitVerdict verdict;
};
// Let through with a captcha of this level or a harder one.
struct CaptchaNeeded {
  std::uint32_t level;
};
// Let through, as the first code of a new verification.
struct FirstCode {
  LimitVerdict verdict;
};
// Let through, as a further message of the live verification with this unique id.
struct FurtherCode {
  std::string verification_id;
  std::string salt;
  crypto::HashParams params;
  std::uint32_t pepper_id;
  std::uint32_t digits;
  std::string sealed_code;  // not empty: repeat this one instead of drawing a new one
  LimitVerdict verdict;
};
using SendPlan = std::variant<AlreadyAdmitted, SendLimited, CaptchaNeeded, FirstCode, FurtherCode>;

// What a send at `now` would do. Prunes the logs of `state`, changes nothing else.
SendPlan plan_send(RecipientState& state, const SendQuestion& question, TimePoint now);

// What the plan lacked: the code's hash and the rest of the verification.
struct NewCode {
  std::string verification_id;  // unique part: fresh for FirstCode, the plan's for FurtherCode
  std::string digest;           // empty when the same code is repeated
  std::string salt;
  crypto::HashParams params;
  std::uint32_t pepper_id = 0;
  std::string sealed_code;  // Resend::same_code
  std::string link_hash;    // purposes with a link
  std::string channel;
  std::string user_id;
  std::string country;
  std::string block;  // hash of its block of numbers
  bool remember_admission = false;
};

// Carries out a send that plan_send, asked again on this very state, would still let through for
// the same verification; returns the admission, or nothing if the plan has changed since.
std::optional<Admission> admit(RecipientState& state, const SendQuestion& question,
                               const NewCode& code, TimePoint now);

// --- verifying ---------------------------------------------------------------------------------

struct VerifyQuestion {
  std::string_view purpose;
  std::string_view context_hash;
  std::string_view verification_id;  // unique part; empty: the latest of that purpose
  std::size_t code_length;
  std::uint32_t policy_digits;  // what a code looks like when there is no verification
  const Limits& limits;
  const Asker& asker;
  bool test_recipient = false;  // whether the recipient is one now: a fixed code is good no longer
};

struct Approved {
  std::string verification_id;
  std::string user_id;
  std::string purpose;
  std::string country;
  std::string lane;   // that took the latest message
  std::string block;  // of numbers, by its hash
  bool opens_session = false;
};
// Approved before, and asked again by the same caller in the same way (repeat.h).
struct Repeated {
  Approved answer;
  std::string sealed_session;
};

// An attempt was taken; hash the guess with these and settle.
struct Reserved {
  std::string verification_id;
  std::string salt;
  crypto::HashParams params;
  std::uint32_t pepper_id;
};
struct Exhausted {
  std::string verification_id;
};
// Expired, consumed, canceled, superseded, never sent: one answer for all.
struct Gone {
  bool changed = false;  // the state is to be written all the same
};
struct BadCode {
  std::uint32_t digits;
};
struct GuessesLimited {
  LimitVerdict verdict;
};
using Reservation = std::variant<Reserved, Exhausted, Gone, BadCode, GuessesLimited, Repeated>;

// Takes one attempt, before anything is hashed. Only Reserved, Repeated and some Gone change the
// state.
Reservation reserve(RecipientState& state, const VerifyQuestion& question, TimePoint now);

struct Wrong {
  std::string verification_id;
  std::uint32_t attempts_remaining = 0;
  bool poisoned = false;  // all attempts are used up and were wrong
};
using Settlement = std::variant<Approved, Wrong, Gone, Repeated>;

// Compares the guess's digest with the live codes in constant time and consumes the verification
// on a match, if it still lives. A guess that was reserved stays good until it is settled: only
// when every attempt has failed is the verification poisoned. Changes the state, unless Gone says
// otherwise. After Approved, remember_answer() is due.
Settlement settle(RecipientState& state, std::string_view verification_id, std::string_view digest,
                  const Asker& asker, TimePoint now);

// Consumes the verification if `link_hash` is that of its link and it still lives.
Settlement settle_link(RecipientState& state, std::string_view verification_id,
                       std::string_view link_hash, const Asker& asker, TimePoint now);

// --- the rest ----------------------------------------------------------------------------------

// Ends a live verification; false if it was not live any more.
bool cancel(RecipientState& state, std::string_view verification_id, TimePoint now);

// A carrier has the latest message. False if nothing changed: that is known, or it has arrived.
bool mark_sent(RecipientState& state, std::string_view verification_id, std::string_view lane,
               std::string_view message_id, TimePoint now);

// Nobody took the message: failed, unless an earlier one was handed over. False if nothing changed.
bool mark_failed(RecipientState& state, std::string_view verification_id, std::string_view error,
                 TimePoint now);

// Why a delivery failed whose fallback a cap or a budget has refused.
inline constexpr std::string_view k_fallback_limited = "fallback_limited";

// What was to follow on that message, of which no receipt came, is refused by a limit: failed with
// k_fallback_limited. A receipt may still come, and counts. False if nothing changed: a receipt of
// it is known, or a later message was sent.
bool mark_fallback_limited(RecipientState& state, std::string_view verification_id,
                           std::string_view message_id, TimePoint now);

// That try of a fallback's job was charged, and no carrier has the message. False if nothing
// changed.
bool mark_charged(RecipientState& state, std::string_view verification_id, ChargedTry charged);

// A carrier's receipt says what became of the latest message: delivered, or failed with `error`.
// Only the first one counts, and only if it names that message and lane. False if nothing changed.
bool mark_receipt(RecipientState& state, std::string_view verification_id, std::string_view lane,
                  std::string_view message_id, DeliveryState delivery, std::string_view error,
                  TimePoint now);

// The verification of that unique id, or null.
Verification* find_verification(RecipientState& state, std::string_view verification_id);

// queued, sent, delivered, failed, approved, expired, exhausted or canceled.
std::string_view status_name(const Verification& verification, TimePoint now);

// When a store may forget the state: nothing in it can decide anything any more.
TimePoint garbage_at(const RecipientState& state, TimePoint now);

}  // namespace otpd::otp
