#include "base/visible_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace otpd {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode's general categories Cc, Cf, Co, Cs, Zl and Zp, noncharacters, and what shows nothing.
constexpr std::array k_hidden{
    Range{0x0000, 0x001f},   Range{0x007f, 0x009f},    Range{0x00ad, 0x00ad},
    Range{0x034f, 0x034f},   Range{0x0600, 0x0605},    Range{0x061c, 0x061c},
    Range{0x06dd, 0x06dd},   Range{0x070f, 0x070f},    Range{0x115f, 0x1160},
    Range{0x17b4, 0x17b5},   Range{0x180b, 0x180f},    Range{0x200b, 0x200f},
    Range{0x2028, 0x202e},   Range{0x2060, 0x206f},    Range{0x3164, 0x3164},
    Range{0xd800, 0xf8ff},   Range{0xfdd0, 0xfdef},    Range{0xfeff, 0xfeff},
    Range{0xffa0, 0xffa0},   Range{0xfff0, 0xfffb},    Range{0x110bd, 0x110bd},
    Range{0x110cd, 0x110cd}, Range{0x13430, 0x1343f},  Range{0x1bca0, 0x1bca3},
    Range{0x1d173, 0x1d17a}, Range{0xe0000, 0x10ffff},
};

}  // namespace

bool is_hidden(char32_t letter) {
  const auto range = std::ranges::lower_bound(k_hidden, letter, {}, &Range::last);
  return (range != k_hidden.end() && letter >= range->first) || (letter & 0xfffe) == 0xfffe;
}

bool is_blank(char32_t letter) {
  return letter == ' ' || letter == 0xa0 || letter == 0x1680 ||
         (letter >= 0x2000 && letter <= 0x200a) || letter == 0x202f || letter == 0x205f ||
         letter == 0x3000;
}

std::optional<char32_t> next_letter(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  constexpr std::array<char32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() < size) return std::nullopt;
  char32_t letter = size == 1 ? lead : lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    letter = (letter << 6) | (byte(i) & 0x3fU);
  }
  if (letter < k_least.at(size) || letter > 0x10ffff) return std::nullopt;
  text.remove_prefix(size);
  return letter;
}

bool is_visible_line(std::string_view text, std::size_t max_letters) {
  std::size_t letters = 0;
  bool blank = true;
  while (!text.empty()) {
    const auto letter = next_letter(text);
    if (!letter || is_hidden(*letter) || ++letters > max_letters) return false;
    blank = is_blank(*letter);
    if (blank && letters == 1) return false;
  }
  return !blank;
}

std::string spell_hidden(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto letter = next_letter(text);
    if (!letter) {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text.front()));
      text.remove_prefix(1);
    } else if (is_hidden(*letter)) {
      out += fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(*letter));
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
  return out;
}

}  // namespace otpd
