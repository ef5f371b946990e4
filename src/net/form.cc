#include "net/form.h"

#include <algorithm>

#include "base/encoding.h"

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

std::optional<std::string> form_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto byte = hex_decode(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    out += *byte;
    i += 2;
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 3);
  append_encoded(out, bytes);
  return out;
}

Secret form_encode(FormViews fields) {
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

std::optional<FormFields> form_decode(std::string_view text, std::size_t max_fields) {
  FormFields fields;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    auto name = form_decoded(field.substr(0, equals));
    auto value = form_decoded(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value || fields.size() == max_fields) return std::nullopt;
    fields.emplace_back(std::move(*name), std::move(*value));
  }
  return fields;
}

}  // namespace otpd::net
