// Factors: authenticator apps and recovery codes of users, in one record for each user.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "otp/factors_state.h"
#include "otp/issuer.h"

namespace otpd::otp {

// An enrolment as the gateway understood it: every member checked for its form.
struct EnrolRequest {
  std::string user_id;  // UUID
  OathParams params;
  std::string name;           // the caller's word for it; or empty
  std::string issuer;         // empty: the rules'
  std::string account;        // empty: the user's id
  Secret secret;              // an existing one to import; empty: a new one is drawn
  std::uint64_t counter = 0;  // HOTP: where the app stands
  std::string client_ip;
};

struct Enrolled {
  std::string factor_id;
  Secret secret;
  Secret uri;            // otpauth://
  Seconds expires_in{};  // to the first code; 0: without end
};
struct TooManyFactors {};
using EnrolOutcome = std::variant<Enrolled, TooManyFactors>;

struct FactorGuess {
  std::string user_id;
  std::string factor_id;
  Secret code;
  Secret following_code;  // HOTP only; or empty
  std::string client_ip;
};
// None of that id, or one that is not confirmed where that is asked for.
struct NoSuchFactor {};
// Not a code of that factor by its look; costs no guess.
struct NotACode {
  std::uint32_t digits = 6;
  bool takes_two = false;
};
using FactorOutcome = std::variant<CodeAccepted, CodeRefused, FactorClosed, NoSuchFactor, NotACode>;

struct RecoveryAccepted {
  std::size_t left = 0;
};
using RecoveryOutcome = std::variant<RecoveryAccepted, CodeRefused, FactorClosed, NoRecoveryCodes>;

// Runs on the caller's loop; safe on several loops. Everything fails as the store does; what opens
// a secret also with Failure::corrupt, if its key generation is no longer in the ring.
class Factors {
 public:
  Factors(Services services, const Rules& rules);

  // A further factor. It is good for nothing until its first right code, but one that was imported
  // may be confirmed by any right code.
  Task<Result<EnrolOutcome>> enrol(EnrolRequest request);

  // Checks a code of any factor of the user; the first right one confirms it.
  Task<Result<FactorOutcome>> confirm(FactorGuess guess);

  // Checks a code of one that is confirmed or was imported.
  Task<Result<FactorOutcome>> verify(FactorGuess guess);

  // False if the user has none of that id.
  Task<Result<bool>> remove(std::string_view user_id, std::string_view factor_id,
                            std::string_view client_ip);

  // What the user has.
  Task<Result<FactorsState>> list(std::string_view user_id);

  // Opens what wrong codes have closed; false if nothing was counted.
  Task<Result<bool>> unlock(std::string_view user_id, std::string_view client_ip);

  // A new set of k_recovery_codes codes; the one before is void. They are nowhere else. Also fails
  // as the hash pool does, with nothing changed.
  Task<Result<std::vector<Secret>>> make_recovery_codes(std::string_view user_id,
                                                        std::string_view client_ip);

  // Checks a recovery code (as find_recovery_code() gives it) and uses it up. Fails with
  // Failure::overloaded, at once and with no guess taken, when the hash queue is full.
  Task<Result<RecoveryOutcome>> verify_recovery(std::string_view user_id, Secret code,
                                                std::string_view client_ip);

 private:
  enum class Need : bool { any, usable };
  std::string user_hash(std::string_view user_id) const;
  Task<Result<FactorOutcome>> check(FactorGuess guess, Need need);
  Task<Result<std::string>> hash_recovery(std::string_view user, std::string_view code,
                                          const crypto::HashParams& params, std::string salt,
                                          crypto::HashPool::Ticket ticket);

  Services services_;
  const Rules& rules_;
};

// --- the form of recovery codes ----------------------------------------------------------------

// "xxxxx-xxxxx", 50 random bits in the alphabet of Crockford's base 32.
Secret draw_recovery_code(Random& random);

// The ten characters of what somebody typed: whatever the case, with or without hyphens and spaces
// between them, o for 0 and i or l for 1. Empty if it is none.
Secret find_recovery_code(std::string_view typed);

}  // namespace otpd::otp
