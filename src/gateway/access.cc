#include "gateway/access.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "gateway/client_ip.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_sha256_bytes = 32;

std::string_view bearer(const net::HttpRequest& request) {
  const std::string_view field = net::find_header(request.headers, "Authorization");
  constexpr std::string_view k_scheme = "Bearer ";
  if (field.size() <= k_scheme.size() ||
      !net::same_name(field.substr(0, k_scheme.size()), k_scheme)) {
    return {};
  }
  return field.substr(k_scheme.size());
}

// The host of a Host field, without its port; an IPv6 address without its brackets.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool is_forwarded(const net::HttpRequest& request) {
  return net::count_headers(request.headers, "X-Forwarded-For") > 0 ||
         net::count_headers(request.headers, "Forwarded") > 0;
}

Problem unauthorized(std::string detail) {
  return {.name = ProblemName::unauthorized, .detail = std::move(detail)};
}

}  // namespace

Result<AccessControl> AccessControl::make(AccessConfig config) {
  AccessControl control;
  for (const std::string& entry : config.api_keys) {
    const auto colon = entry.rfind(':');
    const auto hash = colon == std::string::npos
                          ? std::nullopt
                          : hex_decode(std::string_view(entry).substr(colon + 1));
    if (colon == 0 || !hash || hash->size() != k_sha256_bytes) {
      return fail(Failure::invalid, "an API key entry is not \"name:sha256hex\"");
    }
    control.keys_.push_back({entry.substr(0, colon), *hash});
  }
  control.config_ = std::move(config);
  return control;
}

bool AccessControl::is_local(const net::HttpRequest& request, std::string_view client_ip) const {
  // A proxy on this machine, declared or not, may speak for anybody.
  return is_loopback(client_ip) && !is_forwarded(request) && came_over_loopback(request);
}

bool AccessControl::came_over_loopback(const net::HttpRequest& request) const {
  if (!is_loopback(request.peer)) return false;
  const std::string_view host = host_name(net::find_header(request.headers, "Host"));
  return host == "localhost" || is_loopback(host) ||
         std::ranges::find(config_.own_hosts, host) != config_.own_hosts.end();
}

std::optional<std::string> AccessControl::find_key(std::string_view presented) const {
  if (presented.empty()) return std::nullopt;
  const std::string hash = crypto::sha256(presented);
  std::optional<std::string> name;
  for (const ApiKey& key : keys_) {
    if (crypto::equal_constant_time(key.hash, hash)) name = key.name;
  }
  return name;
}

std::expected<Caller, Problem> AccessControl::check(Access access, const net::HttpRequest& request,
                                                    std::string_view client_ip) const {
  const std::string_view presented = bearer(request);
  const auto is_admin = [&] {
    return !config_.admin_token.empty() &&
           crypto::equal_constant_time(crypto::sha256(presented),
                                       crypto::sha256(config_.admin_token.reveal()));
  };
  switch (access) {
    case Access::anybody:
      return Caller{};
    case Access::admin:
      if (is_admin()) return Caller{.name = "admin"};
      return std::unexpected(unauthorized("This needs the admin token as a bearer token."));
    case Access::operation:
      if (is_admin() || is_local(request, client_ip)) return Caller{.name = "operator"};
      return std::unexpected(
          unauthorized("From another machine this needs the admin token as a bearer token."));
    case Access::test:
      if (is_local(request, client_ip)) return Caller{.name = "test"};
      return std::unexpected(
          Problem{.name = ProblemName::forbidden, .detail = "Only this machine may do this."});
    case Access::application:
    case Access::public_application:
      break;
  }
  if (auto name = find_key(presented)) return Caller{.name = *std::move(name)};
  if (!presented.empty() && !keys_.empty()) {
    return std::unexpected(unauthorized("This API key is not known."));
  }
  const bool may_send = access == Access::public_application;
  if (may_send && config_.public_application) return Caller{};
  if (keys_.empty() && (may_send ? came_over_loopback(request) : is_local(request, client_ip))) {
    return Caller{};
  }
  return std::unexpected(unauthorized(
      keys_.empty() ? "No API key is configured, so only this machine may call. Configure "
                      "auth.api_keys, or auth.public for sending and verifying."
                    : "This needs an API key as a bearer token."));
}

}  // namespace otpd::gateway
