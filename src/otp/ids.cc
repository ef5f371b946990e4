#include "otp/ids.h"

#include "base/encoding.h"
#include "otp/code.h"
#include "otp/keys.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_id_bytes = k_hash_bytes + k_unique_bytes;

// The bytes of `text` if they are exactly `size`; refuses over-long text before decoding it.
std::optional<std::string> decode_exactly(std::string_view text, std::size_t size) {
  if (text.size() != (size * 4 + 2) / 3) return std::nullopt;
  return base64url_decode(text);
}

Secret encode_with_secret(std::string_view prefix, std::string plain, const Secret& secret) {
  plain += secret.reveal();
  std::string text(prefix);
  text += base64url_encode(plain);
  wipe(plain);
  return Secret(std::move(text));
}

}  // namespace

std::string VerificationId::text() const {
  return base64url_encode(bytes());
}

std::optional<VerificationId> VerificationId::parse(std::string_view text) {
  const auto bytes = decode_exactly(text, k_id_bytes);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::optional<VerificationId> VerificationId::from_bytes(std::string_view bytes) {
  if (bytes.size() != k_id_bytes) return std::nullopt;
  return VerificationId{std::string(bytes.substr(0, k_hash_bytes)),
                        std::string(bytes.substr(k_hash_bytes))};
}

Secret LinkToken::text() const {
  return encode_with_secret("", id.bytes(), secret);
}

std::optional<LinkToken> LinkToken::parse(std::string_view text) {
  auto bytes = decode_exactly(text, k_id_bytes + k_link_secret_bytes);
  if (!bytes) return std::nullopt;
  LinkToken token{{bytes->substr(0, k_hash_bytes), bytes->substr(k_hash_bytes, k_unique_bytes)},
                  Secret(bytes->substr(k_id_bytes))};
  wipe(*bytes);
  return token;
}

Secret SessionToken::text() const {
  return encode_with_secret(k_session_prefix, user_hash, secret);
}

std::optional<SessionToken> SessionToken::parse(std::string_view text) {
  if (!text.starts_with(k_session_prefix)) return std::nullopt;
  text.remove_prefix(k_session_prefix.size());
  auto bytes = decode_exactly(text, k_hash_bytes + k_session_secret_bytes);
  if (!bytes) return std::nullopt;
  SessionToken token{bytes->substr(0, k_hash_bytes), Secret(bytes->substr(k_hash_bytes))};
  wipe(*bytes);
  return token;
}

std::string session_id_text(std::string_view id) {
  return base64url_encode(id);
}

std::optional<std::string> parse_session_id(std::string_view text) {
  return decode_exactly(text, k_session_id_bytes);
}

}  // namespace otpd::otp
