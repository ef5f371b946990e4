#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

std::string_view xml_entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

void append_xml_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    const std::string_view entity = xml_entity(c);
    const bool control = c >= 0 && c < 0x20 && c != '\n' && c != '\t';
    if (!entity.empty()) {
      out += entity;
    } else {
      out += control ? ' ' : c;
    }
  }
}

std::string_view xml_element(std::string_view document, std::string_view name,
                             std::size_t max_bytes) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  const std::size_t at = document.find(open);
  if (at == document.npos || document.find(open, at + 1) != document.npos) return {};
  const std::string_view rest = document.substr(at + open.size());
  const std::string_view text = rest.substr(0, rest.find('<'));
  const bool closed = rest.substr(text.size()).starts_with(close);
  const bool plain = text.find_first_of("&>") == text.npos && text.size() <= max_bytes;
  return closed && plain ? text : std::string_view();
}

}  // namespace otpd::providers
