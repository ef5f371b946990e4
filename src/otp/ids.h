// Ids and tokens that carry their own location, so that no pointer record is needed to find what
// they name. All are base64url.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace otpd::otp {

inline constexpr std::size_t k_unique_bytes = 12;  // of a verification, within its recipient
inline constexpr std::size_t k_session_secret_bytes = 32;  // 256 bits
// What the tokens of one session share; the rest is another in each (rotation.h).
inline constexpr std::size_t k_session_family_bytes = 12;
inline constexpr std::string_view k_session_prefix = "otps_";

// Names one verification: the recipient's hash (16 bytes) and what tells it from the others of
// that recipient (12 bytes). 38 characters as text.
struct VerificationId {
  std::string recipient_hash;
  std::string unique;

  // Both parts, 28 bytes.
  std::string bytes() const { return recipient_hash + unique; }
  std::string text() const;
  // Nothing unless `text` is a well-formed id.
  static std::optional<VerificationId> parse(std::string_view text);
  // The same of its 28 bytes.
  static std::optional<VerificationId> from_bytes(std::string_view bytes);
  bool operator==(const VerificationId&) const = default;
};

// The token of a link: a verification id and 128 secret bits.
struct LinkToken {
  VerificationId id;
  Secret secret;

  Secret text() const;
  static std::optional<LinkToken> parse(std::string_view text);
};

// The opaque token of a session: the user's hash (where the record is) and 256 secret bits.
struct SessionToken {
  std::string user_hash;
  Secret secret;

  Secret text() const;
  static std::optional<SessionToken> parse(std::string_view text);
};

// The public id of a session: 8 bytes.
inline constexpr std::size_t k_session_id_bytes = 8;
std::string session_id_text(std::string_view id);
// Nothing unless `text` is a well-formed id.
std::optional<std::string> parse_session_id(std::string_view text);

}  // namespace otpd::otp
