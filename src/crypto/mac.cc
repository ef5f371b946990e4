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

}  // namespace otpd::crypto
