// Text that people are shown: the one rule for what may stand in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpd {

// Splits the first code point off valid UTF-8; nothing, and `text` as it was, for anything else.
std::optional<char32_t> next_letter(std::string_view& text);

// Whether it shows nothing or shows other letters otherwise: a control, a format or direction mark,
// a line break, unassigned by nature or for private use.
bool is_hidden(char32_t letter);

// Whether it is a space of any width.
bool is_blank(char32_t letter);

// Whether people see `text` as it is written: UTF-8, 1 to `max_letters` code points, none of them
// hidden, no blank at either end.
bool is_visible_line(std::string_view text, std::size_t max_letters);

// `text` with everything hidden spelt out, "\u{202e}" or, for what is no UTF-8, "\x9b": safe on a
// terminal.
std::string spell_hidden(std::string_view text);

}  // namespace otpd
