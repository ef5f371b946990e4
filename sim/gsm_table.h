// The GSM 03.38 default alphabet and its extension table (3GPP TS 23.038 section 6.2.1).
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace otpd::sim {

inline constexpr char32_t k_gsm_escape = U'\x1b';

// The character of each septet, in order; at 27 the escape to the extension table.
inline constexpr std::u32string_view k_gsm_basic =
    U"@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ "
    U"!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    U"ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
static_assert(k_gsm_basic.size() == 128);

// What follows the escape, and the character that both make.
inline constexpr std::array<std::pair<char, char32_t>, 10> k_gsm_extension = {{{0x0a, U'\f'},
                                                                               {0x14, U'^'},
                                                                               {0x28, U'{'},
                                                                               {0x29, U'}'},
                                                                               {0x2f, U'\\'},
                                                                               {0x3c, U'['},
                                                                               {0x3d, U'~'},
                                                                               {0x3e, U']'},
                                                                               {0x40, U'|'},
                                                                               {0x65, U'€'}}};

}  // namespace otpd::sim
