#include "otp/verifications.h"

#include "otp/update.h"

namespace otpd::otp {

using Found = std::optional<Verification>;

Task<Result<Found>> Verifications::find(VerificationId id) {
  const auto loaded = co_await services_.store.load(recipient_key(id.recipient_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return std::nullopt;
  auto state = decode<RecipientState>(loaded->bytes);
  if (!state) co_return std::unexpected(state.error());
  const Verification* found = find_verification(*state, id.unique);
  if (found == nullptr) co_return std::nullopt;
  co_return *found;
}

Task<Result<Found>> Verifications::cancel(VerificationId id, std::string_view client_ip) {
  const EventWriter events(services_.random, {id.recipient_hash, {}, client_ip, {}, {}, {}});
  co_return co_await update<RecipientState, Found>(
      services_.store, services_.clock, recipient_key(id.recipient_hash),
      [&](RecipientState& state, TimePoint now) {
        Decision<Found> decision{.out = std::nullopt};
        if (otp::cancel(state, id.unique, now)) {
          decision.changed = true;
          decision.expires_at = garbage_at(state, now);
        }
        if (const Verification* found = find_verification(state, id.unique)) {
          decision.out = *found;
          if (decision.changed) {
            decision.effects.events.push_back(
                events.make_of(*found, audit::event_type::k_canceled, now));
          }
        }
        return decision;
      });
}

}  // namespace otpd::otp
