// Signatures: how carriers sign the receipts that they post.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace otpd::sim {

// X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and then every form field's name and value,
// sorted by name (https://www.twilio.com/docs/usage/security).
std::string twilio_signature(std::string_view auth_token, std::string_view url,
                             const std::map<std::string, std::string>& form);

// Vonage's `sig`, method sha256: lower-case hex of HMAC-SHA256 over "&name=value" of every
// parameter, sorted by name, with '&' and '=' in values as '_'
// (https://developer.vonage.com/en/getting-started/concepts/signing-messages).
std::string vonage_signature(std::string_view secret,
                             const std::map<std::string, std::string>& parameters);

// "sha256=" and lower-case hex of HMAC-SHA256 over the body: X-Hub-Signature-256.
std::string body_signature(std::string_view secret, std::string_view body);

}  // namespace otpd::sim
