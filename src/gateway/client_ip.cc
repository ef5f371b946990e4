#include "gateway/client_ip.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace otpd::gateway {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t k_max_hops = 32;  // more forwarded entries than this are not looked at

std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code bad;
  ip::address address = ip::make_address(std::string(text), bad);
  if (bad) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6()));
  }
  return address;
}

std::string bytes_of(const ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

// Keeps the first `length` bits.
void mask(std::string& bytes, unsigned length) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned keep = std::clamp<int>(static_cast<int>(length) - static_cast<int>(i) * 8, 0, 8);
    bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & (0xff00U >> keep));
  }
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Nothing, or a colon and a port (RFC 7239 section 6: up to five digits, or an obscured one).
bool is_port(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() < 2 || text[0] != ':') return false;
  const bool obscured = text[1] == '_';
  return (obscured || text.size() <= 6) && std::ranges::all_of(text.substr(1), [&](char c) {
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return (c >= '0' && c <= '9') ||
                  (obscured && (letter || c == '.' || c == '_' || c == '-'));
         });
}

// The address of one entry: bare, in brackets, or with a port behind it.
std::optional<ip::address> entry_address(std::string_view entry) {
  entry = trim(entry);
  if (entry.size() >= 2 && entry.front() == '"' && entry.back() == '"') {
    entry = entry.substr(1, entry.size() - 2);
  }
  if (entry.starts_with('[')) {
    const auto close = entry.find(']');
    if (close == std::string_view::npos || !is_port(entry.substr(close + 1))) return std::nullopt;
    const auto address = parse_address(entry.substr(1, close - 1));
    return address && entry.substr(0, close).contains(':') ? address : std::nullopt;
  }
  if (std::ranges::count(entry, ':') == 1) {
    const auto colon = entry.find(':');
    if (!is_port(entry.substr(colon))) return std::nullopt;
    entry = entry.substr(0, colon);
  }
  return parse_address(entry);
}

// The value of "for=" in one element of Forwarded, or empty.
std::string_view forwarded_for(std::string_view element) {
  while (!element.empty()) {
    const auto end = element.find(';');
    const std::string_view pair = trim(element.substr(0, end));
    if (pair.size() > 4 && net::same_name(pair.substr(0, 4), "for=")) return pair.substr(4);
    if (end == std::string_view::npos) break;
    element.remove_prefix(end + 1);
  }
  return {};
}

// All entries of the field, in order, over all its lines.
std::vector<std::string_view> entries(const net::Headers& headers, std::string_view name) {
  std::vector<std::string_view> out;
  for (const auto& [field, value] : headers) {
    if (!net::same_name(field, name)) continue;
    std::string_view rest = value;
    for (;;) {
      const auto comma = rest.find(',');
      out.push_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return out;
}

}  // namespace

Result<Networks> Networks::parse(const std::vector<std::string>& texts) {
  Networks networks;
  for (const std::string& text : texts) {
    const auto slash = text.find('/');
    const auto address = parse_address(std::string_view(text).substr(0, slash));
    if (!address) return fail(Failure::invalid, "not an address or network: " + text);
    Network network{bytes_of(*address), address->is_v4() ? 32U : 128U};
    if (slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      unsigned length = 0;
      const auto [stop, bad] = std::from_chars(text.data() + slash + 1, end, length);
      if (bad != std::errc() || stop != end || length > network.length) {
        return fail(Failure::invalid, "not a network's prefix length: " + text);
      }
      network.length = length;
    }
    mask(network.prefix, network.length);
    networks.networks_.push_back(std::move(network));
  }
  return networks;
}

bool Networks::contains(std::string_view address) const {
  const auto parsed = parse_address(address);
  if (!parsed) return false;
  const std::string bytes = bytes_of(*parsed);
  return std::ranges::any_of(networks_, [&](const Network& network) {
    if (network.prefix.size() != bytes.size()) return false;
    std::string masked = bytes;
    mask(masked, network.length);
    return masked == network.prefix;
  });
}

std::string client_ip(const net::HttpRequest& request, const Networks& trusted_proxies) {
  std::string client = request.peer;
  if (!trusted_proxies.contains(client)) return client;
  auto list = entries(request.headers, "X-Forwarded-For");
  if (list.empty()) {
    list = entries(request.headers, "Forwarded");
    for (std::string_view& element : list) element = forwarded_for(element);
  }
  std::size_t hops = 0;
  for (auto entry = list.rbegin(); entry != list.rend() && hops < k_max_hops; ++entry, ++hops) {
    const auto address = entry_address(*entry);
    if (!address) break;
    client = address->to_string();
    if (!trusted_proxies.contains(client)) break;
  }
  return client;
}

std::optional<std::string> parse_client_ip(std::string_view text) {
  if (text.contains('%') || text.contains('\0')) return std::nullopt;
  const auto address = parse_address(text);
  if (!address) return std::nullopt;
  return address->to_string();
}

bool is_loopback(std::string_view address) {
  const auto parsed = parse_address(address);
  return parsed && parsed->is_loopback();
}

}  // namespace otpd::gateway
