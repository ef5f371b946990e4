#include "otp/otpauth.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace otpd::otp {
namespace {

// RFC 3986 section 2: everything but the unreserved characters.
std::string percent_encode(std::string_view text) {
  constexpr std::string_view unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (unreserved.contains(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return out;
}

}  // namespace

std::string_view algorithm_name(crypto::Digest digest) {
  if (digest == crypto::Digest::sha256) return "SHA256";
  if (digest == crypto::Digest::sha512) return "SHA512";
  return "SHA1";
}

Secret otpauth_uri(const OathParams& params, std::string_view secret, const OtpauthLabel& label,
                   std::uint64_t counter) {
  const bool totp = params.type == OathType::totp;
  const std::string issuer = percent_encode(label.issuer);
  std::string base32 = base32_encode(secret);
  std::string uri = fmt::format("otpauth://{}/{}:{}?secret={}&issuer={}&algorithm={}&digits={}",
                                totp ? "totp" : "hotp", issuer, percent_encode(label.account),
                                base32, issuer, algorithm_name(params.digest), params.digits);
  uri +=
      totp ? fmt::format("&period={}", params.period.count()) : fmt::format("&counter={}", counter);
  wipe(base32);
  return Secret(std::move(uri));
}

}  // namespace otpd::otp
