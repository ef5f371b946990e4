#include "delivery/display_text.h"

#include <algorithm>

namespace otpd::delivery {
namespace {

constexpr unsigned char byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

// How many bytes the blank or invisible character at the front of `text` takes; 0 if the character
// there is a visible one.
std::size_t invisible_bytes(std::string_view text) {
  const unsigned a = byte_at(text, 0);
  const unsigned b = byte_at(text, 1);
  const unsigned c = byte_at(text, 2);
  if (a <= 0x20 || a == 0x7f) return 1;
  if (a == 0xc2 && ((b >= 0x80 && b <= 0xa0) || b == 0xad)) return 2;  // C1, NBSP, soft hyphen
  if (a == 0xd8 && b == 0x9c) return 2;                                // U+061C
  if (a == 0xe2 && b == 0x80 && (c <= 0x8f || (c >= 0xa8 && c <= 0xaf))) return 3;  // U+2000-202F
  if (a == 0xe2 && b == 0x81 && c >= 0x9f && c <= 0xaf) return 3;                   // U+205F-206F
  if (a == 0xe3 && b == 0x80 && c == 0x80) return 3;                                // U+3000
  if (a == 0xef && b == 0xbb && c == 0xbf) return 3;                                // U+FEFF
  return 0;
}

}  // namespace

std::string one_visible_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool gap = false;
  while (!text.empty()) {
    if (const std::size_t skip = invisible_bytes(text); skip > 0) {
      gap = true;
      text.remove_prefix(std::min(skip, text.size()));
      continue;
    }
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

}  // namespace otpd::delivery
