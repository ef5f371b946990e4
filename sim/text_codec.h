// Decoders for what carriers' clients put on the wire: forms, base64, quoted-printable.
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

}  // namespace otpd::sim
