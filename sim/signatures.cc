#include "signatures.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/encoding.h"

namespace otpd::sim {
namespace {

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view message) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(digest, key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

std::string twilio_signature(std::string_view auth_token, std::string_view url,
                             const std::map<std::string, std::string>& form) {
  std::string signed_text(url);
  for (const auto& [name, value] : form) signed_text.append(name).append(value);
  return base64(hmac(EVP_sha1(), auth_token, signed_text));
}

std::string vonage_signature(std::string_view secret,
                             const std::map<std::string, std::string>& parameters) {
  std::string signed_text;
  for (const auto& [name, value] : parameters) {
    std::string safe = value;
    std::replace_if(safe.begin(), safe.end(), [](char c) { return c == '&' || c == '='; }, '_');
    signed_text.append("&").append(name).append("=").append(safe);
  }
  return hex_encode(hmac(EVP_sha256(), secret, signed_text));
}

std::string body_signature(std::string_view secret, std::string_view body) {
  return "sha256=" + hex_encode(hmac(EVP_sha256(), secret, body));
}

}  // namespace otpd::sim
