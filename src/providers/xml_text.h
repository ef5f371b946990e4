// Text inside XML and HTML.
#pragma once

#include <string>
#include <string_view>

namespace otpd::providers {

// Appends `text` so that it is only text between tags and inside quoted attributes; control
// characters that XML 1.0 has no place for become spaces.
void append_xml_escaped(std::string& out, std::string_view text);

// No escaped text is longer.
inline std::size_t xml_escaped_bound(std::string_view text) {
  return 6 * text.size();
}

// The text of the only element of that name, which must be plain text without markup of at most
// `max_bytes`; empty if there is none, or more than one. For the few known elements of a known
// answer: no attributes, no entities.
std::string_view xml_element(std::string_view document, std::string_view name,
                             std::size_t max_bytes);

}  // namespace otpd::providers
