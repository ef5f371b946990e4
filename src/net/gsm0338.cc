#include "net/gsm0338.h"

#include <algorithm>
#include <array>
#include <utility>

namespace otpd::net {
namespace {

constexpr char k_escape = 0x1b;

// The default alphabet in its order; the escape has no character.
constexpr std::u32string_view k_gsm_default =
    U"@£$¥èéùìòÇ\nØø\rÅå"
    U"Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    U" !\"#¤%&'()*+,-./"
    U"0123456789:;<=>?"
    U"¡ABCDEFGHIJKLMNO"
    U"PQRSTUVWXYZÄÖÑÜ§"
    U"¿abcdefghijklmno"
    U"pqrstuvwxyzäöñüà";
static_assert(k_gsm_default.size() == 128);

constexpr std::array<std::pair<char, char32_t>, 10> k_gsm_extension = {{{0x0a, U'\f'},
                                                                        {0x14, U'^'},
                                                                        {0x28, U'{'},
                                                                        {0x29, U'}'},
                                                                        {0x2f, U'\\'},
                                                                        {0x3c, U'['},
                                                                        {0x3d, U'~'},
                                                                        {0x3e, U']'},
                                                                        {0x40, U'|'},
                                                                        {0x65, U'€'}}};

// How much user data a message takes, in octets of the alphabet's encoding.
struct SmsRoom {
  std::size_t alone;
  std::size_t as_part;  // beside the header
};
constexpr SmsRoom k_gsm_room{160, 153};
constexpr SmsRoom k_ucs_room{140, 134};

constexpr std::size_t k_max_text_bytes = k_sms_max_parts * 153 * 4;

// Takes the first character off `text`; nothing if it is not UTF-8 (RFC 3629).
std::optional<char32_t> take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80                   ? 1
                           : lead >= 0xc2 && lead < 0xe0 ? 2
                           : lead >= 0xe0 && lead < 0xf0 ? 3
                           : lead >= 0xf0 && lead < 0xf5 ? 4
                                                         : 0;
  if (size == 0 || size > text.size()) return std::nullopt;
  char32_t c = size == 1 ? lead : lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    c = (c << 6) | (byte(i) & 0x3f);
  }
  constexpr char32_t k_least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (c < k_least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return std::nullopt;
  text.remove_prefix(size);
  return c;
}

void put_character(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | (c >> 6));
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3f));
    put(0x80 | ((c >> 6) & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

// Each of these appends the octets of one character, or says that the alphabet has none.
bool put_gsm(std::string& out, char32_t c) {
  const std::size_t at =
      c == static_cast<char32_t>(k_escape) ? k_gsm_default.npos : k_gsm_default.find(c);
  if (at != k_gsm_default.npos) {
    out += static_cast<char>(at);
    return true;
  }
  const auto found = std::ranges::find(k_gsm_extension, c, [](const auto& e) { return e.second; });
  if (found == k_gsm_extension.end()) return false;
  out += k_escape;
  out += found->first;
  return true;
}

bool put_ucs(std::string& out, char32_t c) {
  const auto unit = [&](char32_t u) {
    out += static_cast<char>(u >> 8);
    out += static_cast<char>(u & 0xff);
  };
  if (c < 0x10000) {
    unit(c);
  } else {
    unit(0xd800 + ((c - 0x10000) >> 10));
    unit(0xdc00 + ((c - 0x10000) & 0x3ff));
  }
  return true;
}

// The octets of the whole text, and where each character begins in them (and the end).
struct Encoded {
  Secret octets;
  std::vector<std::size_t> begins;
};

std::optional<Encoded> encode_all(std::string_view utf8, bool (*put)(std::string&, char32_t)) {
  std::string octets;
  octets.reserve(2 * utf8.size());  // never grows: nothing is left behind unwiped
  std::vector<std::size_t> begins;
  bool fits = true;
  while (!utf8.empty() && fits) {
    begins.push_back(octets.size());
    const auto c = take_character(utf8);
    fits = c && put(octets, *c);
  }
  begins.push_back(octets.size());
  Encoded out{Secret(std::move(octets)), std::move(begins)};
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

// Where each part ends, so that none is longer than `room` and no character is split.
std::vector<std::size_t> part_ends(const std::vector<std::size_t>& begins, std::size_t room) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  for (std::size_t i = 1; i < begins.size(); ++i) {
    if (begins[i] - begin <= room) continue;
    begin = begins[i - 1];
    ends.push_back(begin);
  }
  ends.push_back(begins.back());
  return ends;
}

Secret part_with_header(std::string_view octets, std::uint8_t reference, std::size_t total,
                        std::size_t number) {
  std::string out;
  out.reserve(6 + octets.size());
  out.append({0x05, 0x00, 0x03, static_cast<char>(reference), static_cast<char>(total),
              static_cast<char>(number)});
  out.append(octets);
  return Secret(std::move(out));
}

}  // namespace

Result<SmsText> encode_sms(std::string_view utf8, std::uint8_t reference, std::size_t max_parts) {
  if (utf8.size() > k_max_text_bytes) return fail(Failure::invalid, "the text is too long");
  SmsText out;
  auto encoded = encode_all(utf8, put_gsm);
  if (!encoded) {
    out.alphabet = SmsAlphabet::ucs2;
    encoded = encode_all(utf8, put_ucs);
  }
  if (!encoded) return fail(Failure::invalid, "the text is not UTF-8");
  const SmsRoom room = out.alphabet == SmsAlphabet::gsm7 ? k_gsm_room : k_ucs_room;
  const std::string_view octets = encoded->octets.reveal();
  if (octets.size() <= room.alone) {
    out.parts.push_back(std::move(encoded->octets));
    return out;
  }
  const auto ends = part_ends(encoded->begins, room.as_part);
  if (ends.size() > std::min(max_parts, k_sms_max_parts)) {
    return fail(Failure::invalid, "the text is too long");
  }
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    out.parts.push_back(
        part_with_header(octets.substr(begin, ends[i] - begin), reference, ends.size(), i + 1));
    begin = ends[i];
  }
  return out;
}

std::optional<std::string> decode_gsm7(std::string_view octets) {
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (static_cast<unsigned char>(octets[i]) >= 128) return std::nullopt;
    if (octets[i] != k_escape) {
      put_character(out, k_gsm_default[static_cast<unsigned char>(octets[i])]);
      continue;
    }
    if (++i == octets.size()) return std::nullopt;
    const auto found =
        std::ranges::find(k_gsm_extension, octets[i], [](const auto& e) { return e.first; });
    if (found == k_gsm_extension.end()) return std::nullopt;
    put_character(out, found->second);
  }
  return out;
}

std::optional<std::string> decode_ucs2(std::string_view bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t i) -> char32_t {
    return static_cast<char32_t>((static_cast<unsigned char>(bytes[i]) << 8) |
                                 static_cast<unsigned char>(bytes[i + 1]));
  };
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    char32_t c = unit(i);
    if (c >= 0xdc00 && c < 0xe000) return std::nullopt;
    if (c >= 0xd800 && c < 0xdc00) {
      i += 2;
      if (i == bytes.size() || unit(i) < 0xdc00 || unit(i) >= 0xe000) return std::nullopt;
      c = 0x10000 + ((c - 0xd800) << 10) + (unit(i) - 0xdc00);
    }
    put_character(out, c);
  }
  return out;
}

}  // namespace otpd::net
