// The text forms of the configuration: what an address, a network, a URL or a name may look like.
// All pure and strict: no white space, no second spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/config.h"

namespace otpd::app {

// "127.0.0.1:8080" or "[::1]:8080"; an IP address, not a name, and not an IPv4-mapped one.
std::optional<Endpoint> parse_endpoint(std::string_view text);
std::string format_endpoint(const Endpoint& endpoint);
// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
bool is_loopback(const Endpoint& endpoint);
// Whether it stands for every address of the machine: 0.0.0.0 or ::.
bool is_wildcard(const Endpoint& endpoint);

// An address, or a network without host bits. Networks wider than /8 (IPv6: /7) are refused: who
// trusts the whole Internet lets every client choose its own address and so escape its limit.
bool is_network(std::string_view text);

struct Url {
  std::string scheme;
  std::string host;  // without brackets
  std::string port;  // empty if not given
  std::string rest;  // path, query and fragment
};
// An absolute URL. User information is refused: it would be a secret in a key that is not.
std::optional<Url> parse_url(std::string_view text);
// Whether the URL's host is this machine by its name or address.
bool is_loopback(const Url& url);

// http or https, neither query nor fragment, no trailing slash.
bool is_base_url(std::string_view text);
// http or https with {token} in it exactly once.
bool is_link_url(std::string_view text);
// A web origin as browsers spell it (lower case, no default port, nothing after the port), or "*".
bool is_cors_origin(std::string_view text);
// smtp or smtps, and nothing after the port.
bool is_smtp_url(std::string_view text);

// "host:port" of another machine: a name or an IP address (IPv6 in brackets), and a port from 1 on.
bool is_host_and_port(std::string_view text);

bool is_host_name(std::string_view text);
// Letters, digits, hyphens and underscores, at most 128.
bool is_site_key(std::string_view text);
// ISO 3166-1 alpha-2, in capitals: "US". Whether it is assigned is not known here.
bool is_region(std::string_view text);
// A day as "2026-12-31".
bool is_date(std::string_view text);
// A BCP 47 tag in its canonical spelling: "en", "pt-BR", "zh-Hant-TW".
bool is_locale(std::string_view text);
// The name of a purpose or provider: a to z, 0 to 9, _; starts with a letter; at most 32.
bool is_name(std::string_view text);
// The name of an API key: a name that may also hold hyphens, at most 64.
bool is_api_key_name(std::string_view text);
// "name:" or "application/name:", and the 64 lower-case hexadecimal digits of a SHA-256.
bool is_api_key(std::string_view text);
// A Twilio id: "AC" (account), "SK" (API key) or "MG" (messaging service) and 32 hexadecimal
// digits.
bool is_account_sid(std::string_view text);
bool is_api_key_sid(std::string_view text);
bool is_messaging_service_sid(std::string_view text);
// "name <user@host>" or "user@host".
bool is_mailbox(std::string_view text);
// RFC 3629: no surrogates, nothing overlong.
bool is_utf8(std::string_view text);
// UTF-8 text without control characters.
bool is_line(std::string_view text);
// The same, but line feeds are allowed.
bool is_lines(std::string_view text);

}  // namespace otpd::app
