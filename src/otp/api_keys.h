// ApiKeys: making, rotating and ending the API keys of an installation.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "otp/api_keys_state.h"
#include "otp/services.h"

namespace otpd::otp {

// The names of the applications that there are.
struct Applications {
  std::string base;  // the one of the configuration's top
  std::set<std::string, std::less<>> others{};
  bool contains(std::string_view name) const { return name == base || others.contains(name); }
};

// Every member checked for its form; the application is one that there is.
struct NewApiKey {
  std::string name;
  std::string application;
  Scopes scopes = k_usual_scopes;
  std::optional<Millis> expires_in{};
  std::string client_ip{};
};

// A key with its secret, which is nowhere else.
struct IssuedKey {
  ApiKey key;
  Secret secret;
};
struct KeyNameTaken {};
struct TooManyKeys {};
struct NoSuchKey {};  // or no longer
using KeyOutcome = std::variant<IssuedKey, KeyNameTaken, TooManyKeys, NoSuchKey>;

struct LoadedKeys {
  std::uint64_t version = 0;  // of their record; 0: there has never been a key
  std::vector<ApiKey> keys;   // oldest first, also those that ended a while ago
};

// When keys were used, by id.
using KeyUses = std::map<std::string, TimePoint, std::less<>>;

// Runs on the caller's loop; safe on several loops. Everything fails as the store does.
class ApiKeys {
 public:
  explicit ApiKeys(Services services) : services_(services) {}

  Task<Result<KeyOutcome>> create(NewApiKey request);

  // A new secret for a live key; the one before works for `overlap` longer.
  Task<Result<KeyOutcome>> rotate(std::string id, Millis overlap, std::string client_ip);

  // Ends the key for ever; doing it again changes nothing. Nothing if there is none of that id.
  Task<Result<std::optional<ApiKey>>> revoke(std::string id, std::string client_ip);

  Task<Result<LoadedKeys>> load();

  // Moves the keys' last_used_at on; no audit line.
  Task<Result<void>> note_uses(const KeyUses& uses);

 private:
  Key record_key() const;

  Services services_;
};

// As the API shows it.
std::string api_key_id_text(std::string_view id);
std::optional<std::string> parse_api_key_id(std::string_view text);

}  // namespace otpd::otp
