// API keys: the rules over the one record that has them all.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "otp/state.h"

namespace otpd::otp {

// What a key may be good for. Stored by number.
enum class Scope : std::uint8_t { send = 0, verify = 1, sessions = 2, factors = 3, admin = 4 };
inline constexpr std::array<std::string_view, 5> k_scope_names = {"send", "verify", "sessions",
                                                                  "factors", "admin"};
std::string_view scope_name(Scope scope);
std::optional<Scope> parse_scope(std::string_view name);

// A set of scopes.
struct Scopes {
  std::uint32_t bits = 0;

  constexpr Scopes() = default;
  constexpr Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) bits |= 1U << static_cast<unsigned>(scope);
  }
  bool has(Scope scope) const { return (bits & (1U << static_cast<unsigned>(scope))) != 0; }
  bool has_any_of(Scopes others) const { return (bits & others.bits) != 0; }
  // In the order of Scope.
  std::vector<std::string_view> names() const;
  bool operator==(const Scopes&) const = default;
};
// What a key is good for unless somebody says otherwise.
inline constexpr Scopes k_usual_scopes{Scope::send, Scope::verify, Scope::sessions, Scope::factors};

inline constexpr std::size_t k_api_key_id_bytes = 8;
inline constexpr std::size_t k_max_api_keys = 1'000;
inline constexpr Millis k_max_overlap = std::chrono::days(30);
// For how long an ended key is still listed.
inline constexpr Millis k_ended_keys_kept = std::chrono::days(30);

// A time at the epoch means never.
struct ApiKey {
  std::string id;           // k_api_key_id_bytes
  std::string name;         // unique among the live ones of its application
  std::string application;  // by name
  Scopes scopes;
  std::string secret_hash;    // SHA-256
  std::string replaced_hash;  // of the secret before, which still works until `replaced_until`
  TimePoint replaced_until;
  TimePoint created_at;
  TimePoint rotated_at;
  TimePoint expires_at;
  TimePoint last_used_at;
  TimePoint revoked_at;

  bool is_revoked() const { return revoked_at != TimePoint(); }
  bool has_expired(TimePoint now) const { return expires_at != TimePoint() && now >= expires_at; }
  bool is_live(TimePoint now) const { return !is_revoked() && !has_expired(now); }
  bool operator==(const ApiKey&) const = default;
};

struct ApiKeysState {
  std::vector<ApiKey> keys;  // oldest first
};

enum class KeyAdded : std::uint8_t { done, name_taken, too_many };

// Adds a key. Forgets those that ended longer than k_ended_keys_kept ago, and, where there are
// k_max_api_keys, the one that ended first.
KeyAdded add_api_key(ApiKeysState& state, ApiKey key, TimePoint now);

// The key of that id, or null.
ApiKey* find_api_key(ApiKeysState& state, std::string_view id);

// Gives the key another secret. The one before works until `overlap` has passed, and no other:
// whatever an earlier rotation let live on ends now.
void rotate_api_key(ApiKey& key, std::string secret_hash, Millis overlap, TimePoint now);

// Ends the key at once and for ever; false if that was done before.
bool revoke_api_key(ApiKey& key, TimePoint now);

// Moves last_used_at on, never back; whether it moved.
bool note_api_key_use(ApiKey& key, TimePoint at);

// Whether a secret of this hash opens the key. In constant time.
bool opens(const ApiKey& key, std::string_view secret_hash, TimePoint now);

// The stored form (records.proto). A record is never erased: that there once was a key is kept.
std::string encode(const ApiKeysState& state);
template <>
Result<ApiKeysState> decode(std::string_view bytes);

}  // namespace otpd::otp
