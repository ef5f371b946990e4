#include "delivery/display_text.h"

#include "base/visible_text.h"

namespace otpd::delivery {

std::string one_visible_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool gap = false;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto letter = next_letter(text);
    if (letter && (is_hidden(*letter) || is_blank(*letter))) {
      gap = true;
      continue;
    }
    if (!letter) text.remove_prefix(1);
    if (gap && !out.empty()) out += ' ';
    gap = false;
    out += before.substr(0, before.size() - text.size());
  }
  return out;
}

}  // namespace otpd::delivery
