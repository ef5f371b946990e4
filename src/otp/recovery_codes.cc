// Recovery codes: the part of Factors that hashes.
#include <array>
#include <optional>

#include "crypto/primitives.h"
#include "otp/factors.h"
#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

constexpr std::string_view k_alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t k_recovery_characters = 10;  // 50 bits

std::optional<char> recovery_character(char c) {
  if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (c == 'o') return '0';
  if (c == 'i' || c == 'l') return '1';
  if (k_alphabet.contains(c)) return c;
  return std::nullopt;
}

}  // namespace

Secret draw_recovery_code(Random& random) {
  std::array<std::uint8_t, k_recovery_characters> drawn{};
  random.fill(drawn);
  std::string text;
  text.reserve(k_recovery_characters + 1);
  for (const std::uint8_t byte : drawn) {
    if (text.size() == k_recovery_characters / 2) text += '-';
    text += k_alphabet[byte % k_alphabet.size()];  // 32 divides 256: each is equally likely
  }
  return Secret(std::move(text));
}

Secret find_recovery_code(std::string_view typed) {
  std::string found;
  found.reserve(k_recovery_characters);
  for (const char c : typed) {
    if (c == '-' || c == ' ') continue;
    const auto character = recovery_character(c);
    if (!character || found.size() == k_recovery_characters) return {};
    found += *character;
  }
  return found.size() == k_recovery_characters ? Secret(std::move(found)) : Secret();
}

Task<Result<std::string>> Factors::hash_recovery(std::string_view user, std::string_view code,
                                                 const crypto::HashParams& params, std::string salt,
                                                 crypto::HashPool::Ticket ticket) {
  // Under the index key, which does not rotate: these codes wait in a drawer for years.
  Secret input(crypto::hmac_sha256_parts(services_.keys.index_key(), {"recovery", user, code}));
  co_return co_await services_.hashes.hash(std::move(ticket), params, std::move(input),
                                           std::move(salt));
}

Task<Result<std::vector<Secret>>> Factors::make_recovery_codes(std::string_view user_id,
                                                               std::string_view client_ip) {
  const std::string user = user_hash(user_id);
  RecoveryCodes fresh{.salt = services_.random.bytes(crypto::k_salt_bytes), .params = rules_.hash};
  std::vector<Secret> codes;
  while (codes.size() < k_recovery_codes) {
    codes.push_back(draw_recovery_code(services_.random));
    auto ticket = services_.hashes.reserve();
    if (!ticket) co_return std::unexpected(ticket.error());
    const Secret plain = find_recovery_code(codes.back().reveal());
    auto digest =
        co_await hash_recovery(user, plain.reveal(), fresh.params, fresh.salt, std::move(*ticket));
    if (!digest) co_return std::unexpected(digest.error());
    fresh.digests.push_back(std::move(*digest));
  }
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  const auto made = co_await update<FactorsState, bool>(
      services_.store, services_.clock, factors_key(user), [&](FactorsState& state, TimePoint now) {
        state.recovery = fresh;
        state.recovery.created_at = now;
        Decision<bool> decision{.out = true, .changed = true, .expires_at = garbage_at(state, now)};
        decision.effects.events.push_back(events.make(type::k_factor_recovery_made, {}, now));
        return decision;
      });
  if (!made) co_return std::unexpected(made.error());
  co_return std::move(codes);
}

Task<Result<RecoveryOutcome>> Factors::verify_recovery(std::string_view user_id, Secret code,
                                                       std::string_view client_ip) {
  auto ticket = services_.hashes.reserve();
  if (!ticket) co_return std::unexpected(ticket.error());
  const std::string user = user_hash(user_id);
  const EventWriter events(services_.random, {{}, user_id, client_ip, {}, {}, {}});
  const auto reserved = co_await update<FactorsState, RecoveryReservation>(
      services_.store, services_.clock, factors_key(user), [&](FactorsState& state, TimePoint now) {
        const WrongCodes before = state.recovery.wrong;
        Decision<RecoveryReservation> decision{.out = reserve_recovery(state, rules_.factors, now)};
        decision.changed = state.recovery.wrong != before;
        decision.expires_at = garbage_at(state, now);
        if (std::holds_alternative<FactorClosed>(decision.out)) {
          decision.effects.events.push_back(events.make(type::k_limited, {}, now, "recovery"));
        }
        return decision;
      });
  if (!reserved) co_return std::unexpected(reserved.error());
  if (const auto* closed = std::get_if<FactorClosed>(&*reserved)) co_return *closed;
  const auto* attempt = std::get_if<RecoveryReserved>(&*reserved);
  if (attempt == nullptr) co_return NoRecoveryCodes{};

  const auto digest = co_await hash_recovery(user, code.reveal(), attempt->params, attempt->salt,
                                             std::move(*ticket));
  if (!digest) co_return std::unexpected(digest.error());
  co_return co_await update<FactorsState, RecoveryOutcome>(
      services_.store, services_.clock, factors_key(user), [&](FactorsState& state, TimePoint now) {
        Decision<RecoveryOutcome> decision{.out = NoRecoveryCodes{}};
        if (settle_recovery(state, *digest)) {
          decision.out = RecoveryAccepted{state.recovery.digests.size()};
          decision.changed = true;
          decision.erase = is_empty(state);
          decision.expires_at = garbage_at(state, now);
          decision.effects.events.push_back(events.make(type::k_factor_recovery_used, {}, now));
          return decision;
        }
        WrongCodes& wrong = state.recovery.wrong;
        decision.out = CodeRefused{false, guesses_left(wrong, rules_.factors.lock),
                                   closed_for(wrong, rules_.factors.lock, now)};
        decision.effects.events.push_back(events.make(type::k_factor_recovery_fail, {}, now));
        return decision;
      });
}

}  // namespace otpd::otp
