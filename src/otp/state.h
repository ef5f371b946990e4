// The state of one recipient: everything that a send or a verify has to decide on. One record, so
// one compare-and-swap is a whole transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/hash_pool.h"
#include "otp/limit.h"

namespace otpd::otp {

// What became of the question. Everything but `live` is final.
enum class VerificationState : std::uint8_t {
  live = 0,
  approved = 1,
  exhausted = 2,  // poisoned: the right code no longer works
  canceled = 3,
  superseded = 4,  // pushed out by newer ones
  expired = 5,     // seen to be past its deadline (the deadline alone ends it, seen or not)
};

// What became of the latest message.
enum class DeliveryState : std::uint8_t { queued = 0, sent = 1, delivered = 2, failed = 3 };

struct CodeHash {
  std::string digest;
  TimePoint sent_at;
  std::string link_hash;  // of the link that went with it; empty if none did
};

// What the right answer was worth, for whoever gave it and asks once more (repeat.h).
struct Answered {
  std::string caller;          // keyed hash; empty: nobody is answered again
  std::string proof;           // keyed hash of the right answer
  std::string sealed_session;  // the secret of the session's token; empty if none was opened
  std::uint32_t repeats = 0;
  std::string request;  // the request that heard it first
};

// A try of a fallback's job that was charged (cap_desk.h) and that no carrier has taken: the job's
// try after it is not charged again. Any later one is: what became of those between is not known.
struct ChargedTry {
  std::string job_id;  // empty: none
  std::uint32_t attempt = 0;
  bool pays_for(std::string_view job, std::uint32_t next_attempt) const {
    return !job_id.empty() && job_id == job && attempt + 1 == next_attempt;
  }
  bool operator==(const ChargedTry&) const = default;
};

struct Verification {
  std::string id;  // the unique part of its VerificationId
  std::string purpose;
  std::string context_hash;  // what the code is bound to; empty if nothing
  std::string salt;          // one for all codes, so that one hash serves them all
  crypto::HashParams params;
  std::uint32_t pepper_id = 0;
  std::vector<CodeHash> codes;  // oldest first; empty once ended
  std::uint32_t digits = 6;
  std::uint32_t attempts_used = 0;    // taken; each is hashed afterwards
  std::uint32_t attempts_failed = 0;  // hashed, and wrong
  std::uint32_t attempts_max = 3;
  TimePoint created_at;
  TimePoint expires_at;  // the first code's deadline is everybody's
  TimePoint last_send_at;
  TimePoint ended_at;
  VerificationState state = VerificationState::live;
  DeliveryState delivery = DeliveryState::queued;
  std::string delivery_error;
  TimePoint delivery_at;
  std::string channel;
  std::string user_id;
  std::string country;
  std::string lane;         // that took the latest message; empty if none has
  std::string message_id;   // the carrier's name for it there
  std::string block;        // hash of its block of numbers (caps.h); empty if none
  ChargedTry charged;       // of a fallback
  std::string sealed_code;  // code and link secret, sealed; Resend::same_code only
  bool opens_session = false;
  bool test_recipient = false;  // with a fixed code, and no message (policy.h)
  Answered answered;

  std::uint32_t attempts_remaining() const { return attempts_max - attempts_used; }
  bool is_live(TimePoint now) const { return state == VerificationState::live && now < expires_at; }
};

// A send that was let through under an idempotency key: the same admission again changes nothing
// and is answered the same.
struct Admission {
  std::string id;
  std::string verification_id;  // unique part
  std::string channel;
  TimePoint at;
  Seconds expires_in{0};
  std::uint32_t attempts_remaining = 0;
  Seconds resend_after{0};
};

struct RecipientState {
  TimeLog sends;
  TimeLog guesses;
  std::vector<Verification> verifications;  // oldest first
  std::vector<Admission> admissions;        // oldest first
  std::string application;                  // whose recipient it is (is_own in policy.h)
};

// The log of one IP bucket or user.
struct LogState {
  TimeLog times;
  CountryLog countries;  // of an IP bucket
};

// The stored forms (records.proto). Decoding fails with Failure::corrupt.
std::string encode(const RecipientState& state);
std::string encode(const LogState& state);
template <class State>
Result<State> decode(std::string_view bytes);
template <>
Result<RecipientState> decode(std::string_view bytes);
template <>
Result<LogState> decode(std::string_view bytes);

}  // namespace otpd::otp
