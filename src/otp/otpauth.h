// The otpauth:// URI (Key URI Format): how a secret gets into an authenticator app.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/secret.h"
#include "otp/oath.h"

namespace otpd::otp {

struct OtpauthLabel {
  std::string_view issuer;   // UTF-8 without a colon
  std::string_view account;  // likewise
};

// The URI for that secret; `counter` is where a HOTP app begins. Every parameter is said, also
// where an app would guess it.
Secret otpauth_uri(const OathParams& params, std::string_view secret, const OtpauthLabel& label,
                   std::uint64_t counter);

// "SHA1", "SHA256" or "SHA512".
std::string_view algorithm_name(crypto::Digest digest);

}  // namespace otpd::otp
