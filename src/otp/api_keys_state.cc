#include "otp/api_keys_state.h"

#include <algorithm>

#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

// When the key ended; nothing while it lives.
std::optional<TimePoint> ended_at(const ApiKey& key, TimePoint now) {
  if (key.is_live(now)) return std::nullopt;
  if (!key.is_revoked()) return key.expires_at;
  if (!key.has_expired(now)) return key.revoked_at;
  return std::min(key.revoked_at, key.expires_at);
}

// Forgets the one that ended first; false if all live.
bool forget_one_ended(ApiKeysState& state, TimePoint now) {
  auto first = state.keys.end();
  for (auto key = state.keys.begin(); key != state.keys.end(); ++key) {
    const auto ended = ended_at(*key, now);
    if (ended && (first == state.keys.end() || *ended < *ended_at(*first, now))) first = key;
  }
  if (first == state.keys.end()) return false;
  state.keys.erase(first);
  return true;
}

}  // namespace

std::string_view scope_name(Scope scope) {
  return k_scope_names[static_cast<std::size_t>(scope)];
}

std::optional<Scope> parse_scope(std::string_view name) {
  const auto found = std::ranges::find(k_scope_names, name);
  if (found == k_scope_names.end()) return std::nullopt;
  return static_cast<Scope>(found - k_scope_names.begin());
}

std::vector<std::string_view> Scopes::names() const {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < k_scope_names.size(); ++i) {
    if (has(static_cast<Scope>(i))) out.push_back(k_scope_names[i]);
  }
  return out;
}

KeyAdded add_api_key(ApiKeysState& state, ApiKey key, TimePoint now) {
  std::erase_if(state.keys, [&](const ApiKey& one) {
    const auto ended = ended_at(one, now);
    return ended && *ended <= now - k_ended_keys_kept;
  });
  const bool taken = std::ranges::any_of(state.keys, [&](const ApiKey& one) {
    return one.name == key.name && one.application == key.application && one.is_live(now);
  });
  if (taken) return KeyAdded::name_taken;
  if (state.keys.size() >= k_max_api_keys && !forget_one_ended(state, now)) {
    return KeyAdded::too_many;
  }
  state.keys.push_back(std::move(key));
  return KeyAdded::done;
}

ApiKey* find_api_key(ApiKeysState& state, std::string_view id) {
  const auto found = std::ranges::find(state.keys, id, &ApiKey::id);
  return found == state.keys.end() ? nullptr : &*found;
}

void rotate_api_key(ApiKey& key, std::string secret_hash, Millis overlap, TimePoint now) {
  const bool overlaps = overlap > Millis(0);
  key.replaced_hash = overlaps ? std::move(key.secret_hash) : std::string();
  key.replaced_until = overlaps ? now + overlap : TimePoint();
  key.secret_hash = std::move(secret_hash);
  key.rotated_at = now;
}

bool revoke_api_key(ApiKey& key, TimePoint now) {
  if (key.is_revoked()) return false;
  key.revoked_at = now;
  key.replaced_hash.clear();
  return true;
}

bool note_api_key_use(ApiKey& key, TimePoint at) {
  if (at <= key.last_used_at) return false;
  key.last_used_at = at;
  return true;
}

bool opens(const ApiKey& key, std::string_view secret_hash, TimePoint now) {
  const bool current = crypto::equal_constant_time(key.secret_hash, secret_hash);
  const bool replaced = crypto::equal_constant_time(key.replaced_hash, secret_hash);
  return key.is_live(now) && (current || (replaced && now < key.replaced_until));
}

}  // namespace otpd::otp
