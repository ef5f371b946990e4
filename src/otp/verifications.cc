#include "otp/verifications.h"

#include "otp/update.h"

namespace otpd::otp {

using Found = std::optional<Verification>;

Task<Result<RecipientState>> Verifications::load(const VerificationId& id) {
  const auto loaded = co_await services_.store.load(recipient_key(id.recipient_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return RecipientState{};
  co_return decode<RecipientState>(loaded->bytes);
}

Verification* Verifications::find_own(RecipientState& state, const VerificationId& id) const {
  return is_own(rules_, state.application) ? find_verification(state, id.unique) : nullptr;
}

Task<Result<Found>> Verifications::find(VerificationId id) {
  auto state = co_await load(id);
  if (!state) co_return std::unexpected(state.error());
  const Verification* found = find_own(*state, id);
  co_return found == nullptr ? std::nullopt : Found(*found);
}

Task<Result<Found>> Verifications::find_of_any(VerificationId id) {
  auto state = co_await load(id);
  if (!state) co_return std::unexpected(state.error());
  const Verification* found = find_verification(*state, id.unique);
  co_return found == nullptr ? std::nullopt : Found(*found);
}

Task<Result<Found>> Verifications::cancel(VerificationId id, std::string_view client_ip) {
  const EventWriter events(services_.random, {id.recipient_hash, {}, client_ip, {}, {}, {}});
  co_return co_await update<RecipientState, Found>(
      services_.store, services_.clock, recipient_key(id.recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Found> decision{.out = std::nullopt};
        const Verification* found = find_own(state, id);
        if (found == nullptr) return decision;
        if (otp::cancel(state, id.unique, now)) {
          decision.changed = true;
          decision.expires_at = garbage_at(state, now);
          decision.effects.events.push_back(
              events.make_of(*found, audit::event_type::k_canceled, now));
        }
        decision.out = *found;
        return decision;
      });
}

}  // namespace otpd::otp
