#include "crypto/mac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

namespace otpd::crypto {
namespace {

using MacBuffer = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const EVP_MD* mac_digest(Digest algorithm) {
  switch (algorithm) {
    case Digest::md5:
      return EVP_md5();
    case Digest::sha1:
      return EVP_sha1();
    case Digest::sha256:
      return EVP_sha256();
    case Digest::sha512:
      return EVP_sha512();
  }
  std::abort();
}

const unsigned char* mac_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string digest(Digest algorithm, std::string_view message) {
  MacBuffer out;
  unsigned int size = 0;
  const EVP_MD* const md = mac_digest(algorithm);
  // Only a lack of memory, or an OpenSSL built without the digest, can make it fail.
  if (EVP_Digest(message.data(), message.size(), out.data(), &size, md, nullptr) != 1) std::abort();
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hmac(Digest algorithm, std::string_view key, std::string_view message) {
  MacBuffer out;
  unsigned int size = 0;
  // A null key would mean "the last one".
  const char* const from = key.empty() ? "" : key.data();
  const bool done = HMAC(mac_digest(algorithm), from, static_cast<int>(key.size()),
                         mac_bytes(message), message.size(), out.data(), &size) != nullptr;
  if (!done) std::abort();
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations, std::size_t size) {
  std::string out(size, '\0');
  const bool done =
      PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), mac_bytes(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(size), reinterpret_cast<unsigned char*>(out.data())) == 1;
  if (!done) std::abort();
  return out;
}

}  // namespace otpd::crypto
