// Captcha: proof-of-work challenges as ALTCHA defines them, made and checked. Pure functions.
//
// Version 2 is what we hand out: who solves it looks for the counter whose PBKDF2 key begins with
// the prefix that the challenge names. We draw the counter, derive its key once and sign it along
// (keySignature), so checking an answer costs two HMACs and no derivation, whatever was asked of
// the client. Version 1 (one SHA-256 for each try) is there for older widgets. In both, everything
// that an answer's worth hangs on is signed: to what it is bound, its level, its deadline.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "otp/policy.h"
#include "otp/state.h"

namespace otpd::otp {

// The secrets, as text (hexadecimal), because other implementations take text.
struct CaptchaKeys {
  Secret challenge;  // signs the parameters of version 2
  Secret solution;   // signs the derived key of version 2
  Secret version_1;
  Secret binding;

  static CaptchaKeys derive(std::string_view index_key, std::string_view application);
};

// What a captcha is good for, without saying it: 32 hexadecimal digits. `kind` is "recipient" with
// the recipient's hash, or "ip" with the hash of the address that asks.
std::string captcha_binding(const CaptchaKeys& keys, std::string_view purpose,
                            std::string_view kind, std::string_view hash);

// What of a challenge is signed. All text is hexadecimal in lower case, but for the algorithm
// (letters, digits, "/" and "-").
struct CaptchaParameters {
  std::string algorithm;
  std::uint32_t cost = 0;
  std::string binding;
  std::uint32_t level = 0;
  std::int64_t expires_at = 0;  // Unix seconds
  std::uint32_t key_length = 0;
  std::string key_prefix;
  std::string key_signature;
  std::string nonce;
  std::string salt;

  // The JSON that is signed: names sorted, no white space.
  std::string json() const;
};

struct CaptchaChallenge {
  CaptchaParameters parameters;
  std::string signature;  // hexadecimal, as all text below
  std::string json() const;
};
struct CaptchaSolution {
  CaptchaChallenge challenge;
  std::string derived_key;
};

struct CaptchaChallengeV1 {
  std::string salt;  // carries binding, deadline and level
  std::string challenge;
  std::uint32_t max_number = 0;
  std::string signature;
  std::string json() const;
};
struct CaptchaSolutionV1 {
  std::string salt;
  std::string challenge;
  std::uint32_t number = 0;
  std::string signature;
};

using CaptchaAnswer = std::variant<CaptchaSolution, CaptchaSolutionV1>;

// A fresh challenge. Costs one derivation, friction.captcha_cost iterations long.
CaptchaChallenge make_captcha(const CaptchaKeys& keys, const Friction& friction,
                              std::string_view binding, std::uint32_t level, Random& random,
                              TimePoint now);
CaptchaChallengeV1 make_captcha_v1(const CaptchaKeys& keys, const Friction& friction,
                                   std::string_view binding, std::uint32_t level, Random& random,
                                   TimePoint now);

// A captcha that was solved. Whether it was used before is for the store to say.
struct CaptchaProof {
  std::string id;  // the same for every answer to one challenge
  std::string binding;
  std::uint32_t level = 0;
  TimePoint expires_at;
};

// The proof, or why it is none: "forged" (not a challenge of ours), "expired", "unsolved".
std::expected<CaptchaProof, std::string_view> check_captcha(const CaptchaKeys& keys,
                                                            const CaptchaAnswer& answer,
                                                            TimePoint now);

// --- single use --------------------------------------------------------------------------------

// One captcha's record: the send that it was redeemed for; empty if there is none.
struct CaptchaState {
  std::string admission_id;
};

// Redeems the captcha for that send; again for the same one changes nothing. False if another send
// has it. Changes only an empty state.
bool redeem(CaptchaState& state, std::string_view admission_id);

std::string encode(const CaptchaState& state);
template <>
Result<CaptchaState> decode(std::string_view bytes);

}  // namespace otpd::otp
