// Encodings of bytes as text: base64url (RFC 4648 section 5, no padding), base64, base32 and hex.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace otpd {

std::string base64url_encode(std::string_view bytes);

// The bytes, or nothing unless `text` is the canonical unpadded encoding: no white space, no
// padding, no stray bits.
std::optional<std::string> base64url_decode(std::string_view text);

// With the alphabet and padding of RFC 4648 section 4.
std::string base64_encode(std::string_view bytes);

// The bytes, or nothing unless `text` is the canonical padded encoding: no white space, no stray
// bits.
std::optional<std::string> base64_decode(std::string_view text);

// With the alphabet of RFC 4648 section 6, without padding: how authenticator apps write secrets.
std::string base32_encode(std::string_view bytes);

// The bytes of `text` in either case, with or without its padding, spaces between groups ignored,
// as people copy it from where they find it. Nothing for other characters, another length, or
// stray bits.
std::optional<std::string> base32_decode(std::string_view text);

// Lower-case hexadecimal.
std::string hex_encode(std::string_view bytes);

// The bytes, or nothing unless `text` is an even number of hexadecimal digits.
std::optional<std::string> hex_decode(std::string_view text);

}  // namespace otpd
