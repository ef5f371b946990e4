#include "otp/factors_state.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

// Longer than anybody has a phone; every use of a factor moves it on.
constexpr Millis k_factor_life = std::chrono::days(3650);

OathMatch match_guess(const Factor& factor, std::string_view secret, const CodeGuess& guess,
                      const FactorRules& rules, TimePoint now) {
  if (factor.params.type == OathType::totp) {
    return match_totp(factor.params, secret, guess.code, factor.next, now);
  }
  if (!guess.following_code.empty()) {
    return match_hotp_pair(factor.params, secret, guess.code, guess.following_code, factor.next,
                           rules.hotp_resync_window);
  }
  return match_hotp(factor.params, secret, guess.code, factor.next, rules.hotp_look_ahead);
}

}  // namespace

void drop_unconfirmed(FactorsState& state, const FactorRules& rules, TimePoint now) {
  std::erase_if(state.factors, [&](const Factor& factor) {
    return !factor.is_confirmed() && !factor.imported &&
           factor.created_at <= now - rules.enrolment_lifetime;
  });
}

bool add_factor(FactorsState& state, Factor factor, const FactorRules& rules) {
  if (state.factors.size() >= rules.max_per_user) {
    const auto waiting = std::ranges::find_if(
        state.factors, [](const Factor& f) { return !f.is_confirmed() && !f.imported; });
    if (waiting == state.factors.end()) return false;
    state.factors.erase(waiting);
  }
  state.factors.push_back(std::move(factor));
  return true;
}

std::string factor_id_text(std::string_view id) {
  return hex_encode(id);
}

std::optional<std::string> parse_factor_id(std::string_view text) {
  if (text.size() != 2 * k_factor_id_bytes) return std::nullopt;
  return hex_decode(text);
}

Factor* find_factor(FactorsState& state, std::string_view id) {
  const auto found = std::ranges::find(state.factors, id, &Factor::id);
  return found == state.factors.end() ? nullptr : &*found;
}

bool remove_factor(FactorsState& state, std::string_view id) {
  return std::erase_if(state.factors, [&](const Factor& f) { return f.id == id; }) > 0;
}

CodeVerdict check_code(Factor& factor, std::string_view secret, const CodeGuess& guess,
                       const FactorRules& rules, TimePoint now) {
  if (const Millis closed = closed_for(factor.wrong, rules.lock, now); closed > Millis(0)) {
    return FactorClosed{closed};
  }
  const OathMatch match = match_guess(factor, secret, guess, rules, now);
  if (match.how == OathMatch::How::right) {
    const bool first = !factor.is_confirmed();
    factor.next = match.next;
    factor.wrong = {};
    factor.last_used_at = now;
    if (first) factor.confirmed_at = now;
    return CodeAccepted{first};
  }
  const bool used = match.how == OathMatch::How::used;
  if (!used) count_wrong(factor.wrong, rules.lock, now);
  return CodeRefused{used, guesses_left(factor.wrong, rules.lock),
                     closed_for(factor.wrong, rules.lock, now)};
}

RecoveryReservation reserve_recovery(FactorsState& state, const FactorRules& rules, TimePoint now) {
  RecoveryCodes& recovery = state.recovery;
  if (recovery.digests.empty()) return NoRecoveryCodes{};
  if (const Millis closed = closed_for(recovery.wrong, rules.lock, now); closed > Millis(0)) {
    return FactorClosed{closed};
  }
  count_wrong(recovery.wrong, rules.lock, now);
  return RecoveryReserved{recovery.salt, recovery.params};
}

bool settle_recovery(FactorsState& state, std::string_view digest) {
  RecoveryCodes& recovery = state.recovery;
  auto found = recovery.digests.end();
  for (auto code = recovery.digests.begin(); code != recovery.digests.end(); ++code) {
    if (crypto::equal_constant_time(*code, digest)) found = code;
  }
  if (found == recovery.digests.end()) return false;
  recovery.digests.erase(found);
  recovery.wrong = {};
  return true;
}

bool forget_wrong_codes(FactorsState& state) {
  const WrongCodes none;
  bool forgot = state.recovery.wrong != none;
  state.recovery.wrong = none;
  for (Factor& factor : state.factors) {
    forgot = forgot || factor.wrong != none;
    factor.wrong = none;
  }
  return forgot;
}

bool is_empty(const FactorsState& state) {
  return state.factors.empty() && state.recovery.digests.empty();
}

TimePoint garbage_at(const FactorsState& state, TimePoint now) {
  return is_empty(state) ? now : now + k_factor_life;
}

}  // namespace otpd::otp
