#include "providers/gsm_text.h"

namespace otpd::providers {
namespace {

// What is beyond ASCII; of ASCII only the grave accent and most control characters are missing.
constexpr std::string_view k_gsm_beyond_ascii = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà€";

bool is_gsm_ascii(char c) {
  return (c >= 0x20 && c < 0x7f && c != '`') || c == '\n' || c == '\r';
}

}  // namespace

bool is_gsm_text(std::string_view utf8) {
  while (!utf8.empty()) {
    std::size_t size = 1;
    while (size < utf8.size() && (static_cast<unsigned char>(utf8[size]) & 0xc0) == 0x80) ++size;
    const std::string_view character = utf8.substr(0, size);
    const bool ascii = static_cast<unsigned char>(character[0]) < 0x80;
    // A character of UTF-8 cannot be found across two others.
    const bool known = ascii ? size == 1 && is_gsm_ascii(character[0])
                             : k_gsm_beyond_ascii.find(character) != std::string_view::npos &&
                                   (static_cast<unsigned char>(character[0]) & 0xc0) == 0xc0;
    if (!known || (!ascii && size == 1)) return false;
    utf8.remove_prefix(size);
  }
  return true;
}

}  // namespace otpd::providers
