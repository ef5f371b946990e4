#include "otp/keys.h"

#include "crypto/primitives.h"
#include "otp/limit.h"

namespace otpd::otp {
namespace {

Key named(char kind, std::string_view hash) {
  Key key(1, kind);
  key += hash;
  return key;
}

}  // namespace

std::string keyed_hash(std::string_view index_key, std::string_view kind,
                       std::string_view application, std::string_view name) {
  return crypto::hmac_sha256_parts(index_key, {kind, application, name}).substr(0, k_hash_bytes);
}

std::string ip_hash(std::string_view index_key, std::string_view application,
                    std::string_view address) {
  return keyed_hash(index_key, "ip", application, ip_bucket(address));
}

std::string captcha_fetches_hash(std::string_view index_key, std::string_view application,
                                 std::string_view address) {
  return keyed_hash(index_key, "captchas of ip", application, ip_bucket(address));
}

std::string ip_guesses_hash(std::string_view index_key, std::string_view application,
                            std::string_view address) {
  return keyed_hash(index_key, "guesses of ip", application, ip_bucket(address));
}

Key recipient_key(std::string_view hash) {
  return named('r', hash);
}
Key ip_key(std::string_view hash) {
  return named('i', hash);
}
Key user_key(std::string_view hash) {
  return named('u', hash);
}
Key idempotency_key(std::string_view hash) {
  return named('k', hash);
}
Key sessions_key(std::string_view index_key, std::string_view application,
                 std::string_view user_hash) {
  return named('s', keyed_hash(index_key, "sessions of", application, user_hash));
}
Key captcha_key(std::string_view hash) {
  return named('c', hash);
}
Key factors_key(std::string_view hash) {
  return named('f', hash);
}
Key allowance_record(std::string_view hash) {
  return named('l', hash);
}
Key closed_blocks_record(std::string_view hash) {
  return named('b', hash);
}
Key api_keys_key(std::string_view index_key) {
  return named('a', keyed_hash(index_key, "api keys", {}, {}));
}
bool is_durable(const Key& key) {
  return key.starts_with('f') || key.starts_with('a');
}

Key message_key(std::string_view index_key, std::string_view application, std::string_view lane,
                std::string_view message_id) {
  const std::string kind = "message " + std::string(lane);
  return named('m', keyed_hash(index_key, kind, application, message_id));
}

Key webhook_key(std::string_view index_key, std::string_view application, std::string_view url) {
  return named('w', keyed_hash(index_key, "webhook", application, url));
}
bool is_webhook_key(const Key& key) {
  return key.starts_with('w');
}

std::string hash_of(const Key& key) {
  return key.empty() ? Key() : key.substr(1);
}

}  // namespace otpd::otp
