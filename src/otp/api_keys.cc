#include "otp/api_keys.h"

#include <utility>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "otp/events.h"
#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

constexpr std::size_t k_api_secret_bytes = 32;
constexpr Millis k_api_keys_life = std::chrono::days(36'500);  // nobody forgets them

Secret draw_api_secret(Random& random) {
  std::string bytes = random.bytes(k_api_secret_bytes);
  Secret secret("otpk_" + base64url_encode(bytes));
  wipe(bytes);
  return secret;
}

template <class Out>
Decision<Out> keys_written(Out out, TimePoint now) {
  return {.out = std::move(out), .changed = true, .expires_at = now + k_api_keys_life};
}

KeyOutcome issued(ApiKey key, const Secret& secret) {
  return IssuedKey{std::move(key), secret.clone()};
}

}  // namespace

Key ApiKeys::record_key() const {
  return api_keys_key(services_.keys.index_key());
}

Task<Result<KeyOutcome>> ApiKeys::create(NewApiKey request) {
  ApiKey key{.id = services_.random.bytes(k_api_key_id_bytes),
             .name = std::move(request.name),
             .application = std::move(request.application),
             .scopes = request.scopes};
  const Secret secret = draw_api_secret(services_.random);
  key.secret_hash = crypto::sha256(secret.reveal());
  const EventWriter events(services_.random, {.ip_address = request.client_ip});
  co_return co_await update<ApiKeysState, KeyOutcome>(
      services_.store, services_.clock, record_key(),
      [&](ApiKeysState& state, TimePoint now) -> Decision<KeyOutcome> {
        key.created_at = now;
        if (request.expires_in) key.expires_at = now + *request.expires_in;
        const KeyAdded added = add_api_key(state, key, now);
        if (added == KeyAdded::name_taken) return {.out = KeyNameTaken{}};
        if (added == KeyAdded::too_many) return {.out = TooManyKeys{}};
        auto decision = keys_written(issued(key, secret), now);
        decision.effects.events.push_back(
            events.make(type::k_admin_key_created, {}, now, api_key_id_text(key.id)));
        return decision;
      });
}

Task<Result<KeyOutcome>> ApiKeys::rotate(std::string id, Millis overlap, std::string client_ip) {
  const Secret secret = draw_api_secret(services_.random);
  const std::string hash = crypto::sha256(secret.reveal());
  const EventWriter events(services_.random, {.ip_address = client_ip});
  co_return co_await update<ApiKeysState, KeyOutcome>(
      services_.store, services_.clock, record_key(),
      [&](ApiKeysState& state, TimePoint now) -> Decision<KeyOutcome> {
        ApiKey* const key = find_api_key(state, id);
        if (key == nullptr || !key->is_live(now)) return {.out = NoSuchKey{}};
        rotate_api_key(*key, hash, overlap, now);
        auto decision = keys_written(issued(*key, secret), now);
        decision.effects.events.push_back(
            events.make(type::k_admin_key_rotated, {}, now, api_key_id_text(id)));
        return decision;
      });
}

Task<Result<std::optional<ApiKey>>> ApiKeys::revoke(std::string id, std::string client_ip) {
  using Out = std::optional<ApiKey>;
  const EventWriter events(services_.random, {.ip_address = client_ip});
  co_return co_await update<ApiKeysState, Out>(
      services_.store, services_.clock, record_key(),
      [&](ApiKeysState& state, TimePoint now) -> Decision<Out> {
        ApiKey* const key = find_api_key(state, id);
        if (key == nullptr) return {.out = std::nullopt};
        if (!revoke_api_key(*key, now)) return {.out = *key};
        auto decision = keys_written(Out(*key), now);
        decision.effects.events.push_back(
            events.make(type::k_admin_key_revoked, {}, now, api_key_id_text(id)));
        return decision;
      });
}

Task<Result<LoadedKeys>> ApiKeys::load() {
  const auto record = co_await services_.store.load(record_key());
  if (!record) co_return std::unexpected(record.error());
  if (record->version == 0) co_return LoadedKeys{};
  auto state = decode<ApiKeysState>(record->bytes);
  if (!state) co_return std::unexpected(state.error());
  co_return LoadedKeys{record->version, std::move(state->keys)};
}

Task<Result<void>> ApiKeys::note_uses(const KeyUses& uses) {
  const auto written = co_await update<ApiKeysState, bool>(
      services_.store, services_.clock, record_key(), [&](ApiKeysState& state, TimePoint now) {
        bool moved = false;
        for (const auto& [id, at] : uses) {
          ApiKey* const key = find_api_key(state, id);
          moved = (key != nullptr && note_api_key_use(*key, at)) || moved;
        }
        auto decision = keys_written(true, now);
        decision.changed = moved;
        return decision;
      });
  if (!written) co_return std::unexpected(written.error());
  co_return Result<void>();
}

std::string api_key_id_text(std::string_view id) {
  return hex_encode(id);
}

std::optional<std::string> parse_api_key_id(std::string_view text) {
  if (text.size() != 2 * k_api_key_id_bytes) return std::nullopt;
  return hex_decode(text);
}

}  // namespace otpd::otp
