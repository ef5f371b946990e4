#include "crypto/seal.h"

#include <sodium.h>

namespace otpd::crypto {
namespace {

constexpr std::size_t k_header_bytes = 1 + 4;  // format, generation id (little endian)
constexpr std::size_t k_nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t k_tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr char k_format = 1;

const unsigned char* seal_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string make_header(std::uint32_t id) {
  std::string out(1, k_format);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(id >> shift);
  return out;
}

std::uint32_t generation_of(std::string_view header) {
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    id |= static_cast<std::uint32_t>(static_cast<unsigned char>(header[1 + i])) << (8 * i);
  }
  return id;
}

}  // namespace

std::string seal(const KeyRing& keys, Random& random, std::string_view plain,
                 std::string_view context) {
  const Generation& key = keys.active();
  std::string out = make_header(key.id);
  const std::string authenticated = out + std::string(context);
  const std::string nonce = random.bytes(k_nonce_bytes);
  out += nonce;
  out.resize(k_header_bytes + k_nonce_bytes + plain.size() + k_tag_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(out.data()) + k_header_bytes + k_nonce_bytes, nullptr,
      seal_bytes(plain), plain.size(), seal_bytes(authenticated), authenticated.size(), nullptr,
      seal_bytes(nonce), seal_bytes(key.seal.reveal()));
  return out;
}

Result<Secret> open(const KeyRing& keys, std::string_view sealed, std::string_view context) {
  if (sealed.size() < k_header_bytes + k_nonce_bytes + k_tag_bytes || sealed[0] != k_format) {
    return fail(Failure::corrupt, "not a sealed text");
  }
  const std::string_view header = sealed.substr(0, k_header_bytes);
  const Generation* key = keys.find(generation_of(header));
  if (key == nullptr) return fail(Failure::corrupt, "sealed under a key that is not in the ring");
  const std::string authenticated = std::string(header) + std::string(context);
  const std::string_view nonce = sealed.substr(k_header_bytes, k_nonce_bytes);
  const std::string_view cipher = sealed.substr(k_header_bytes + k_nonce_bytes);
  std::string plain(cipher.size() - k_tag_bytes, '\0');
  const int bad = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr, seal_bytes(cipher),
      cipher.size(), seal_bytes(authenticated), authenticated.size(), seal_bytes(nonce),
      seal_bytes(key->seal.reveal()));
  if (bad != 0) return fail(Failure::corrupt, "sealed text or its context was changed");
  return Secret(std::move(plain));
}

bool is_sealed_by_active(const KeyRing& keys, std::string_view sealed) {
  return sealed.size() >= k_header_bytes && sealed[0] == k_format &&
         generation_of(sealed) == keys.active().id;
}

}  // namespace otpd::crypto
