#include "net/public_address.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <string>

namespace otpd::net {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Network4 {
  std::uint32_t base;
  int bits;
};

// https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast.
constexpr Network4 k_special4[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared (carrier-grade NAT)
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // IETF protocols
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarking
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, and broadcast
};

bool is_public4(std::uint32_t address) {
  return std::ranges::none_of(k_special4, [&](const Network4& network) {
    return (address ^ network.base) >> (32 - network.bits) == 0;
  });
}

std::uint32_t four_bytes(const address_v6::bytes_type& bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

// Global unicast is 2000::/3 alone; in it, https://www.iana.org/assignments/
// iana-ipv6-special-registry. Outside it, only NAT64 leads to the Internet.
bool is_public6(const address_v6& address) {
  const auto bytes = address.to_bytes();
  const std::uint32_t first = four_bytes(bytes, 0);
  if (address.is_v4_mapped()) return is_public4(four_bytes(bytes, 12));
  if (first == 0x0064ff9b && four_bytes(bytes, 4) == 0 && four_bytes(bytes, 8) == 0) {
    return is_public4(four_bytes(bytes, 12));  // 64:ff9b::/96
  }
  if (first >> 29 != 1) return false;
  if (first >> 16 == 0x2002) return is_public4(four_bytes(bytes, 2));  // 6to4
  if (first >> 9 == 0x20010000 >> 9) return false;  // 2001::/23: IETF protocols, Teredo
  if (first == 0x20010db8) return false;            // documentation
  return first >> 12 != 0x3fff0000 >> 12;           // documentation, 3fff::/20
}

}  // namespace

bool is_public_address(std::string_view text) {
  boost::system::error_code bad;
  const auto address = boost::asio::ip::make_address(std::string(text), bad);
  if (bad) return false;
  return address.is_v4() ? is_public4(address.to_v4().to_uint()) : is_public6(address.to_v6());
}

}  // namespace otpd::net
