// Which addresses are of the public Internet: the guard against calls into one's own network.
#pragma once

#include <string_view>

namespace otpd::net {

// Whether `text` is an IP address that is globally reachable unicast by IANA's special-purpose
// registries (RFC 6890 and what followed): not private, shared, link-local, loopback,
// documentation, benchmarking, multicast, reserved or unspecified; nor an IPv6 address that carries
// such an IPv4 one (mapped, NAT64, 6to4) or may (Teredo). False for anything that is no address.
bool is_public_address(std::string_view text);

}  // namespace otpd::net
