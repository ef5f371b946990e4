// Vonage's delivery receipts, and the two ways in which it signs them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "delivery/receipt.h"
#include "net/form.h"

namespace otpd::providers {

// As set in the account: how `sig` is made.
enum class VonageSignature : std::uint8_t { md5_hash, md5, sha1, sha256, sha512 };

// The `sig` of these fields (hexadecimal, lower case): sorted by name as "&name=value", with & and
// = in a value as _, then MD5 over that and the secret (md5_hash) or HMAC. `fields` without sig.
std::string vonage_signature(std::string_view secret, VonageSignature method,
                             const net::FormFields& fields);

// Believes a query (GET), a form or JSON (POST) with a right `sig` and a `timestamp` within five
// minutes, or JSON under a JWT (HS256) of that secret whose payload_hash is the body's and whose
// iat is within five minutes.
std::unique_ptr<delivery::ReceiptReader> make_vonage_receipts(Secret signature_secret,
                                                              VonageSignature method);

}  // namespace otpd::providers
