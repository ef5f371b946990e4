#include "app/config_forms.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/rfc3339.h"

namespace otpd::app {
namespace {

constexpr int k_widest_v4 = 8;
constexpr int k_widest_v6 = 7;

// The bytes of an IP address, 4 or 16, or none.
std::string form_address_bytes(std::string_view text) {
  std::array<char, 16> bytes;
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return {};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) return {};
  return {bytes.data(), 16};
}

bool form_is_mapped(std::string_view bytes) {
  constexpr std::string_view k_prefix("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  return bytes.size() == 16 && bytes.starts_with(k_prefix);
}

// A decimal number of that range without sign, space or leading zero.
std::optional<int> form_number(std::string_view text, int max) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (number < 0 || number > max || (text.size() > 1 && text[0] == '0') || text[0] == '-') {
    return {};
  }
  return number;
}

bool form_has_host_bits(std::string_view bytes, int prefix) {
  for (std::size_t bit = static_cast<std::size_t>(prefix); bit < bytes.size() * 8; ++bit) {
    if (static_cast<unsigned char>(bytes[bit / 8]) & (0x80U >> (bit % 8))) return true;
  }
  return false;
}

// Character classes: ASCII, whatever the locale.
bool form_is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool form_is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool form_is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool form_is_hex(char c) {
  return form_is_digit(c) || (c >= 'a' && c <= 'f');
}
bool form_is_word(char c) {
  return form_is_lower(c) || form_is_digit(c) || c == '_';
}

// Whether it is of that size and every character is of that class.
bool form_all(std::string_view text, std::size_t size, bool (*is)(char)) {
  return text.size() == size && std::ranges::all_of(text, is);
}

bool form_is_label(std::string_view text) {
  const auto fits = [](char c) { return form_is_word(c) || form_is_upper(c) || c == '-'; };
  return !text.empty() && text.size() <= 63 && std::ranges::all_of(text, fits) &&
         !text.starts_with('-') && !text.starts_with('_');
}

// user@host
bool form_is_address(std::string_view text) {
  const auto at = text.find('@');
  const auto fits = [](char c) { return std::string_view(" <>,;").find(c) == std::string::npos; };
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() && at == text.rfind('@') &&
         std::ranges::all_of(text, fits);
}

std::size_t form_utf8_followers(unsigned char lead) {
  if ((lead & 0xe0U) == 0xc0U) return 1;
  if ((lead & 0xf0U) == 0xe0U) return 2;
  return (lead & 0xf8U) == 0xf0U ? 3 : 0;
}

bool form_is_http(const std::optional<Url>& url) {
  return url && (url->scheme == "http" || url->scheme == "https");
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  const auto bytes = form_address_bytes(address);
  const auto port = form_number(text.substr(colon + 1), 65'535);
  if (bytes.size() != (bracketed ? 16U : 4U) || form_is_mapped(bytes) || !port) return {};
  return Endpoint{std::string(address), static_cast<std::uint16_t>(*port)};
}

std::string format_endpoint(const Endpoint& endpoint) {
  const bool v6 = endpoint.address.contains(':');
  return (v6 ? "[" + endpoint.address + "]" : endpoint.address) + ":" +
         std::to_string(endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
  const auto bytes = form_address_bytes(endpoint.address);
  if (bytes.size() == 4) return bytes[0] == 127;
  return bytes == form_address_bytes("::1");
}

bool is_wildcard(const Endpoint& endpoint) {
  const auto bytes = form_address_bytes(endpoint.address);
  return !form_has_host_bits(bytes, 0);
}

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto bytes = form_address_bytes(text.substr(0, slash));
  if (bytes.empty() || form_is_mapped(bytes)) return false;
  if (slash == std::string_view::npos) return true;
  const int longest = static_cast<int>(bytes.size()) * 8;
  const auto prefix = form_number(text.substr(slash + 1), longest);
  if (!prefix || *prefix < (longest == 32 ? k_widest_v4 : k_widest_v6)) return false;
  return !form_has_host_bits(bytes, *prefix);
}

std::optional<Url> parse_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos || !is_line(text) || text.contains(' ')) return {};
  Url url{.scheme = std::string(text.substr(0, colon)), .host = {}, .port = {}, .rest = {}};
  const auto after = text.substr(colon + 3);
  const auto authority = after.substr(0, after.find_first_of("/?#"));
  url.rest = after.substr(authority.size());
  const auto bracket = authority.find(']');
  const auto port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = authority.substr(0, port);
  if (port != std::string_view::npos) {
    url.port = authority.substr(port + 1);
    if (form_number(url.port, 65'535).value_or(-1) < 0) return {};
  }
  if (url.host.starts_with('[')) {
    url.host = url.host.ends_with(']') ? url.host.substr(1, url.host.size() - 2) : "";
    return form_address_bytes(url.host).size() == 16 ? std::optional(url) : std::nullopt;
  }
  return is_host_name(url.host) ? std::optional(url) : std::nullopt;
}

bool is_loopback(const Url& url) {
  return url.host == "localhost" || is_loopback(Endpoint{url.host, 0});
}

bool is_base_url(std::string_view text) {
  const auto url = parse_url(text);
  return form_is_http(url) && url->rest.find_first_of("?#") == std::string::npos &&
         !url->rest.ends_with('/');
}

bool is_link_url(std::string_view text) {
  constexpr std::string_view k_token = "{token}";
  const auto url = parse_url(text);
  if (!form_is_http(url)) return false;
  const auto first = url->rest.find(k_token);
  return first != std::string::npos && url->rest.find(k_token, first + 1) == std::string::npos;
}

bool is_cors_origin(std::string_view text) {
  if (text == "*") return true;
  const auto url = parse_url(text);
  if (!form_is_http(url) || !url->rest.empty() || std::ranges::any_of(text, form_is_upper)) {
    return false;
  }
  if (url->port.empty()) return !text.ends_with(':');
  return !url->port.starts_with('0') && url->port != (url->scheme == "http" ? "80" : "443");
}

bool is_smtp_url(std::string_view text) {
  const auto url = parse_url(text);
  return url && (url->scheme == "smtp" || url->scheme == "smtps") && url->rest.empty();
}

bool is_host_and_port(std::string_view text) {
  const auto url = parse_url("tcp://" + std::string(text));
  return url && url->rest.empty() && form_number(url->port, 65'535).value_or(0) > 0;
}

bool is_site_key(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

bool is_host_name(std::string_view text) {
  if (text.size() > 253) return false;
  for (;;) {
    const auto dot = text.find('.');
    if (!form_is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_region(std::string_view text) {
  return form_all(text, 2, form_is_upper);
}

bool is_date(std::string_view text) {
  return text.size() == 10 && parse_rfc3339(std::string(text) + "T00:00:00Z").has_value();
}

bool is_locale(std::string_view text) {
  // The next subtag after a hyphen, or the whole rest.
  const auto next = [&text] {
    const auto part = text.substr(0, text.find('-', 1));
    text.remove_prefix(part.size());
    return part.starts_with('-') ? part.substr(1) : part;
  };
  auto part = next();
  if (!form_all(part, 2, form_is_lower) && !form_all(part, 3, form_is_lower)) return false;
  if (text.empty()) return true;
  part = next();
  if (part.size() == 4) {
    if (!form_is_upper(part[0]) || !form_all(part.substr(1), 3, form_is_lower)) return false;
    if (text.empty()) return true;
    part = next();
  }
  return text.empty() && (is_region(part) || form_all(part, 3, form_is_digit));
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 && form_is_lower(text[0]) &&
         std::ranges::all_of(text, form_is_word);
}

bool is_api_key_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && form_is_lower(text[0]) &&
         std::ranges::all_of(text, [](char c) { return form_is_word(c) || c == '-'; });
}

bool is_api_key(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!is_api_key_name(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  const auto colon = text.find(':');
  return colon != std::string_view::npos && is_api_key_name(text.substr(0, colon)) &&
         form_all(text.substr(colon + 1), 64, form_is_hex);
}

bool is_account_sid(std::string_view text) {
  return text.starts_with("AC") && form_all(text.substr(2), 32, form_is_hex);
}

bool is_api_key_sid(std::string_view text) {
  return text.starts_with("SK") && form_all(text.substr(2), 32, form_is_hex);
}

bool is_messaging_service_sid(std::string_view text) {
  return text.starts_with("MG") && form_all(text.substr(2), 32, form_is_hex);
}

bool is_mailbox(std::string_view text) {
  if (text.size() > 320 || !is_line(text)) return false;
  if (!text.ends_with('>')) return form_is_address(text);
  const auto open = text.find('<');
  return open != std::string_view::npos &&
         form_is_address(text.substr(open + 1, text.size() - open - 2));
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) continue;
    const std::size_t more = form_utf8_followers(lead);
    if (more == 0 || i + more >= text.size()) return false;
    char32_t point = lead & (0x3fU >> more);
    for (std::size_t k = 0; k < more; ++k) {
      const auto next = static_cast<unsigned char>(text[++i]);
      if ((next & 0xc0U) != 0x80U) return false;
      point = (point << 6U) | (next & 0x3fU);
    }
    constexpr std::array<char32_t, 4> k_least{0, 0x80, 0x800, 0x10000};
    if (point < k_least.at(more) || point > 0x10ffff) return false;
    if (point >= 0xd800 && point <= 0xdfff) return false;
  }
  return true;
}

bool is_line(std::string_view text) {
  return is_lines(text) && !text.contains('\n');
}

bool is_lines(std::string_view text) {
  const auto is_control = [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; };
  return std::ranges::none_of(text, is_control) && is_utf8(text);
}

}  // namespace otpd::app
