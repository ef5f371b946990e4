#include "text_codec.h"

#include <algorithm>
#include <cstdint>

#include "gsm_table.h"

namespace otpd::sim {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte written as two hexadecimal digits at `at`, or -1.
int hex_byte(std::string_view text, std::size_t at) {
  if (at + 2 > text.size()) return -1;
  const int high = hex_value(text[at]);
  const int low = hex_value(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

// The code point at the front, which is removed; U+FFFD for what is not UTF-8.
char32_t next_character(std::string_view& utf8) {
  const auto lead = static_cast<std::uint8_t>(utf8.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  static constexpr std::uint8_t k_lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  if (size > utf8.size() || (lead >= 0x80 && lead < 0xc0)) {
    utf8.remove_prefix(1);
    return U'\ufffd';
  }
  char32_t value = lead & k_lead_bits[size];
  for (std::size_t i = 1; i < size; ++i) {
    value = (value << 6) | (static_cast<std::uint8_t>(utf8[i]) & 0x3f);
  }
  utf8.remove_prefix(size);
  return value;
}

// Septets of a character in GSM 03.38 with its extension table; 0 if it has none.
std::size_t gsm_septets(char32_t c) {
  if (c != k_gsm_escape && k_gsm_basic.find(c) != k_gsm_basic.npos) return 1;
  const bool extended = std::any_of(k_gsm_extension.begin(), k_gsm_extension.end(),
                                    [c](const auto& entry) { return entry.second == c; });
  return extended ? 2 : 0;
}

// The code point in UTF-8.
void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += tail(6);
    out += tail(0);
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += tail(12);
    out += tail(6);
    out += tail(0);
  }
}

char32_t utf16_unit(std::string_view bytes, std::size_t at) {
  return static_cast<char32_t>(static_cast<std::uint8_t>(bytes[at]) << 8 |
                               static_cast<std::uint8_t>(bytes[at + 1]));
}

std::size_t parts(std::size_t units, std::size_t single, std::size_t each) {
  return units <= single ? 1 : (units + each - 1) / each;
}

}  // namespace

std::string url_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? hex_byte(text, i + 1) : -1;
    if (byte >= 0) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Form parse_form(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    form.emplace_back(url_decode(field.substr(0, equals)),
                      url_decode(field.substr(std::min(field.size(), equals + 1))));
  }
  return form;
}

const std::string* find_field(const Form& form, std::string_view name) {
  const auto it = std::find_if(form.begin(), form.end(),
                               [&](const auto& field) { return field.first == name; });
  return it == form.end() ? nullptr : &it->second;
}

std::string base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, text.find('='))) {
    const int value = base64_value(c);
    if (value < 0) continue;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xff);
  }
  return out;
}

std::string quoted_printable_decode(std::string_view text, bool in_header) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += in_header && text[i] == '_' ? ' ' : text[i];
    } else if (const int byte = hex_byte(text, i + 1); byte >= 0) {
      out += static_cast<char>(byte);
      i += 2;
    } else if (text.substr(i + 1).starts_with("\r\n")) {
      i += 2;  // a soft line break
    } else if (text.substr(i + 1).starts_with("\n")) {
      i += 1;
    } else {
      out += '=';
    }
  }
  return out;
}

std::size_t count_characters(std::string_view utf8) {
  std::size_t count = 0;
  for (; !utf8.empty(); ++count) next_character(utf8);
  return count;
}

std::size_t count_segments(std::string_view utf8) {
  std::size_t septets = 0;
  std::size_t utf16 = 0;
  bool is_gsm = true;
  while (!utf8.empty()) {
    const char32_t c = next_character(utf8);
    const std::size_t size = gsm_septets(c);
    is_gsm = is_gsm && size > 0;
    septets += size;
    utf16 += c > 0xffff ? 2 : 1;
  }
  return is_gsm ? parts(septets, 160, 153) : parts(utf16, 70, 67);
}

std::string decode_gsm(std::string_view septets) {
  std::string out;
  for (std::size_t i = 0; i < septets.size(); ++i) {
    const char32_t c = k_gsm_basic[static_cast<std::uint8_t>(septets[i]) & 0x7f];
    if (c != k_gsm_escape) {
      append_utf8(out, c);
      continue;
    }
    if (++i == septets.size()) break;
    const auto* entry = std::find_if(k_gsm_extension.begin(), k_gsm_extension.end(),
                                     [&](const auto& one) { return one.first == septets[i]; });
    // What the table does not have is shown as the basic character (section 6.2.1.1).
    const char32_t basic = k_gsm_basic[static_cast<std::uint8_t>(septets[i]) & 0x7f];
    append_utf8(out, entry == k_gsm_extension.end() ? basic : entry->second);
  }
  return out;
}

std::string decode_utf16be(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i + 2 <= bytes.size(); i += 2) {
    char32_t c = utf16_unit(bytes, i);
    if (c >= 0xd800 && c < 0xdc00 && i + 4 <= bytes.size()) {
      const char32_t low = utf16_unit(bytes, i + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      }
    }
    append_utf8(out, c >= 0xd800 && c < 0xe000 ? U'\ufffd' : c);
  }
  return out;
}

std::string decode_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, static_cast<std::uint8_t>(c));
  return out;
}

}  // namespace otpd::sim
