#include "base/encoding.h"

#include <array>
#include <cstdint>

namespace otpd {
namespace {

constexpr std::string_view k_base64url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view k_base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view k_hex = "0123456789abcdef";

constexpr std::array<std::int8_t, 256> make_reverse() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < k_base64url.size(); ++i) {
    table[static_cast<std::uint8_t>(k_base64url[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr auto k_base64url_reverse = make_reverse();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base32_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

// `text` without spaces and padding, or nothing unless the padding is none or the right one.
std::optional<std::string> base32_digits(std::string_view text) {
  std::string digits;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if (c == '=') {
      ++padding;
    } else if (padding > 0) {
      return std::nullopt;
    } else {
      digits += c;
    }
  }
  if (padding > 0 && (padding > 6 || (digits.size() + padding) % 8 != 0)) return std::nullopt;
  return digits;
}

// Both alphabets of RFC 4648 differ in their last two characters only.
void exchange(std::string& text, std::string_view from, std::string_view to) {
  for (char& c : text) {
    const std::size_t at = from.find(c);
    if (at != from.npos) c = to[at];
  }
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out = base64url_encode(bytes);
  exchange(out, "-_", "+/");
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t size = text.find('=') == text.npos ? text.size() : text.find('=');
  const bool padded = text.size() - size <= 2 && text.find_first_not_of('=', size) == text.npos;
  if (!padded || text.find_first_of("-_") != text.npos) return std::nullopt;
  std::string url(text.substr(0, size));
  exchange(url, "+/", "-_");
  return base64url_decode(url);
}

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : bytes) {
    buffer = (buffer << 8) | static_cast<std::uint8_t>(byte);
    for (bits += 8; bits >= 6; bits -= 6) out += k_base64url[(buffer >> (bits - 6)) & 63];
  }
  if (bits > 0) out += k_base64url[(buffer << (6 - bits)) & 63];
  return out;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = k_base64url_reverse[static_cast<std::uint8_t>(c)];
    if (value < 0) return std::nullopt;
    buffer = (buffer << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((buffer >> bits) & 0xff);
    }
  }
  if ((buffer & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

std::string base32_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 8 + 4) / 5);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : bytes) {
    buffer = (buffer << 8) | static_cast<std::uint8_t>(byte);
    for (bits += 8; bits >= 5; bits -= 5) out += k_base32[(buffer >> (bits - 5)) & 31];
  }
  if (bits > 0) out += k_base32[(buffer << (5 - bits)) & 31];
  return out;
}

std::optional<std::string> base32_decode(std::string_view text) {
  const auto digits = base32_digits(text);
  if (!digits) return std::nullopt;
  std::string out;
  out.reserve(digits->size() * 5 / 8);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : *digits) {
    const int value = base32_digit(c);
    if (value < 0) return std::nullopt;
    buffer = (buffer << 5) | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((buffer >> bits) & 0xff);
    }
  }
  // A whole digit too many, or bits that no encoder writes.
  if (bits >= 5 || (buffer & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

std::string hex_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    out += k_hex[static_cast<std::uint8_t>(byte) >> 4];
    out += k_hex[static_cast<std::uint8_t>(byte) & 15];
  }
  return out;
}

std::optional<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

}  // namespace otpd
