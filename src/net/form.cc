#include "net/form.h"

namespace otpd::net {
namespace {

constexpr std::string_view k_upper_hex = "0123456789ABCDEF";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += k_upper_hex[byte >> 4];
    out += k_upper_hex[byte & 15];
  }
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 3);
  append_encoded(out, bytes);
  return out;
}

Secret form_encode(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::size_t bound = 0;
  for (const auto& [name, value] : fields) bound += 3 * (name.size() + value.size()) + 2;
  std::string out;
  out.reserve(bound);
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    append_encoded(out, name);
    out += '=';
    append_encoded(out, value);
  }
  return Secret(std::move(out));
}

}  // namespace otpd::net
