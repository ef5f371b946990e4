// The client's address: the socket's peer, or what trusted proxies say of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_message.h"

namespace otpd::gateway {

// A set of networks, e.g. of the reverse proxies that may speak for a client.
class Networks {
 public:
  // From addresses and CIDR blocks ("10.0.0.0/8", "::1"). Failure::invalid naming the bad one.
  static Result<Networks> parse(const std::vector<std::string>& texts);
  // Whether the textual address is in one of them; IPv4-mapped IPv6 counts as the IPv4.
  bool contains(std::string_view address) const;

 private:
  struct Network {
    std::string prefix;  // 4 or 16 bytes, host bits zero
    unsigned length = 0;
  };
  std::vector<Network> networks_;
};

// The peer, unless it is a trusted proxy: then the right-most address of X-Forwarded-For (or of
// Forwarded, RFC 7239, if there is no X-Forwarded-For) that is not itself a trusted proxy. An
// entry that is not an address ends the walk: what stands left of it cannot be trusted.
std::string client_ip(const net::HttpRequest& request, const Networks& trusted_proxies);

// The address that the text is, in its usual spelling; IPv4-mapped IPv6 as the IPv4. Nothing if it
// is none, or has anything around it: no port, no brackets, no zone.
std::optional<std::string> parse_client_ip(std::string_view text);

// Whether the textual address is of this machine's loopback.
bool is_loopback(std::string_view address);

}  // namespace otpd::gateway
