// Decoders for what carriers' clients put on the wire: forms, base64, quoted-printable, alphabets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpd::sim {

// Percent-decodes; '+' is a space. A '%' without two hexadecimal digits stands for itself.
std::string url_decode(std::string_view text);

// The fields of an application/x-www-form-urlencoded text, in order.
using Form = std::vector<std::pair<std::string, std::string>>;
Form parse_form(std::string_view text);
// The first field of that name, or null.
const std::string* find_field(const Form& form, std::string_view name);

// RFC 4648 base64. Other characters (line ends) are skipped; decoding ends at '='.
std::string base64_decode(std::string_view text);

// RFC 2045 quoted-printable. `in_header`: the Q encoding of RFC 2047, where '_' is a space.
std::string quoted_printable_decode(std::string_view text, bool in_header = false);

// How many characters (not bytes) a UTF-8 text has.
std::size_t count_characters(std::string_view utf8);

// Into how many SMS the text is cut: 160 or 153 septets each in GSM 03.38, otherwise 70 or 67
// UTF-16 units each.
std::size_t count_segments(std::string_view utf8);

// To UTF-8: GSM 03.38 with one septet a byte (the top bit is ignored), UTF-16 big endian (half a
// surrogate pair becomes U+FFFD, an odd byte at the end is dropped), and Latin-1.
std::string decode_gsm(std::string_view septets);
std::string decode_utf16be(std::string_view bytes);
std::string decode_latin1(std::string_view bytes);

}  // namespace otpd::sim
