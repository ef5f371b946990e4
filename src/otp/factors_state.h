// The factors of one user, in one record: authenticator apps and recovery codes. Pure rules: each
// changes the state that it is given, and says what happened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/hash_pool.h"
#include "otp/lock.h"
#include "otp/oath.h"
#include "otp/policy.h"
#include "otp/state.h"

namespace otpd::otp {

inline constexpr std::size_t k_factor_id_bytes = 8;
inline constexpr std::size_t k_recovery_codes = 10;

struct Factor {
  std::string id;  // within its user
  OathParams params;
  std::string name;           // the caller's word for it; may be empty
  std::string sealed_secret;  // the only copy
  TimePoint created_at;
  TimePoint confirmed_at;  // by the first right code; 1970: not yet
  TimePoint last_used_at;  // 1970: never
  bool imported = false;   // its secret was the caller's: it waits for its first code without end
  std::uint64_t next = 0;  // the first counter or time step that may be accepted
  WrongCodes wrong;

  bool is_confirmed() const { return confirmed_at != TimePoint{}; }
};

struct RecoveryCodes {
  std::string salt;  // one for all, so that one hash serves them all
  crypto::HashParams params;
  std::vector<std::string> digests;  // of those that are left
  TimePoint created_at;
  WrongCodes wrong;
};

struct FactorsState {
  std::vector<Factor> factors;  // oldest first
  RecoveryCodes recovery;
};

// --- factors -----------------------------------------------------------------------------------

// Drops what was drawn and not confirmed within its time. Every rule below goes by what is left.
void drop_unconfirmed(FactorsState& state, const FactorRules& rules, TimePoint now);

// Adds one. Where the user has as many as may be, the oldest that waits for its first code makes
// room; false if none does.
bool add_factor(FactorsState& state, Factor factor, const FactorRules& rules);

// The id as callers see it, and back: nothing unless `text` is one.
std::string factor_id_text(std::string_view id);
std::optional<std::string> parse_factor_id(std::string_view text);

// The factor of that id, or null.
Factor* find_factor(FactorsState& state, std::string_view id);

// False if there was none of that id.
bool remove_factor(FactorsState& state, std::string_view id);

struct CodeGuess {
  std::string_view code;
  std::string_view following_code = {};  // HOTP: the one after it, to find a counter that ran away
};

// Right, and used up.
struct CodeAccepted {
  bool confirmed = false;  // it was the factor's first
};
// Wrong, and counted; or right but used before, and not counted.
struct CodeRefused {
  bool used = false;
  std::uint32_t guesses_left = 0;
  Millis closed_for{0};  // 0: it is still open
};
// Not even looked at.
struct FactorClosed {
  Millis closed_for{0};
};
using CodeVerdict = std::variant<CodeAccepted, CodeRefused, FactorClosed>;

// What the guess is worth at `now`; the state is to be written whatever comes out. `secret` is the
// factor's own, opened. The codes have the factor's number of digits.
CodeVerdict check_code(Factor& factor, std::string_view secret, const CodeGuess& guess,
                       const FactorRules& rules, TimePoint now);

// --- recovery codes ----------------------------------------------------------------------------

// A guess was counted before anything is hashed; hash it with these and settle.
struct RecoveryReserved {
  std::string salt;
  crypto::HashParams params;
};
struct NoRecoveryCodes {};
using RecoveryReservation = std::variant<RecoveryReserved, NoRecoveryCodes, FactorClosed>;

// Counts one guess as wrong, unless there are no codes or they are closed. Only then is anything
// hashed, so that parallel guesses cost as few hashes as they have guesses.
RecoveryReservation reserve_recovery(FactorsState& state, const FactorRules& rules, TimePoint now);

// Uses up the code of that digest and forgets wrong ones; false if there is none (any more).
bool settle_recovery(FactorsState& state, std::string_view digest);

// --- the rest ----------------------------------------------------------------------------------

// Opens everything that wrong codes had closed; false if nothing was counted.
bool forget_wrong_codes(FactorsState& state);

// Nothing in it can decide anything.
bool is_empty(const FactorsState& state);

// When a store may forget the record: a user's factors stay until they are removed.
TimePoint garbage_at(const FactorsState& state, TimePoint now);

std::string encode(const FactorsState& state);
template <>
Result<FactorsState> decode(std::string_view bytes);

}  // namespace otpd::otp
