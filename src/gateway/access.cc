#include "gateway/access.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// Whether a web page of another origin makes this request, as far as its browser says.
bool is_of_another_page(const net::HttpRequest& request, const AccessConfig& config) {
  const std::string_view site = net::find_header(request.headers, "Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::size_t origins = net::count_headers(request.headers, "Origin");
  if (origins == 0) return false;
  const std::string_view origin = net::find_header(request.headers, "Origin");
  const std::string_view host = net::find_header(request.headers, "Host");
  const bool own = origin == config.own_origin ||
                   origin == fmt::format("{}://{}", config.tls ? "https" : "http", host);
  return origins > 1 || !own;
}

// With `error` as RFC 6750 section 3.1 names it; empty where nothing was presented.
Problem unauthorized(std::string detail, std::string_view error = {}) {
  Problem problem{.name = ProblemName::unauthorized, .detail = std::move(detail)};
  if (!error.empty()) {
    problem.headers = {{"WWW-Authenticate", fmt::format("Bearer error=\"{}\"", error)}};
  }
  return problem;
}

// One answer to a key that never was, has expired or was revoked.
Problem unknown_key() {
  return unauthorized("This API key is not known, or no longer.", "invalid_token");
}

Problem insufficient(otp::Scopes needed) {
  const std::string scopes = fmt::format("{}", fmt::join(needed.names(), " "));
  return {
      .name = ProblemName::forbidden,
      .detail = fmt::format("This API key lacks the scope {}.", fmt::join(needed.names(), " or ")),
      .scope = scopes,
      .headers = {{"WWW-Authenticate",
                   fmt::format("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes)}}};
}

struct KeyEntry {
  std::string hash;
  KnownKey key;
};

// "name:sha256hex" or "application/name:sha256hex".
std::optional<KeyEntry> parse_key_entry(std::string_view entry,
                                        const otp::Applications& applications) {
  const auto colon = entry.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto hash = hex_decode(entry.substr(colon + 1));
  if (!hash || hash->size() != k_sha256_bytes) return std::nullopt;
  std::string_view name = entry.substr(0, colon);
  std::string_view application;
  if (const auto slash = name.find('/'); slash != std::string_view::npos) {
    application = name.substr(0, slash);
    name.remove_prefix(slash + 1);
    if (!applications.contains(application)) return std::nullopt;
    if (application == applications.base) application = {};
  }
  if (name.empty()) return std::nullopt;
  return KeyEntry{*hash, {std::string(name), std::string(application), otp::k_usual_scopes}};
}

}  // namespace

Result<AccessControl> AccessControl::make(AccessConfig config, KeyBook& book) {
  AccessControl control(book);
  for (const std::string& entry : config.api_keys) {
    auto parsed = parse_key_entry(entry, book.applications());
    if (!parsed) {
      return fail(Failure::invalid,
                  "an API key entry is not \"name:sha256hex\", or not of an application");
    }
    control.configured_.emplace(std::move(parsed->hash), std::move(parsed->key));
  }
  control.config_ = std::move(config);
  return control;
}

std::vector<KnownKey> AccessControl::configured_keys() const {
  std::vector<KnownKey> keys;
  for (const auto& [_, key] : configured_) keys.push_back(key);
  std::ranges::sort(keys, {}, [](const KnownKey& key) {
    return std::pair(std::string_view(key.application), std::string_view(key.name));
  });
  return keys;
}

bool AccessControl::is_local(const net::HttpRequest& request, std::string_view client_ip) const {
  // A proxy on this machine, declared or not, may speak for anybody.
  return is_loopback(client_ip) && !is_forwarded(request) && came_over_loopback(request) &&
         !is_of_another_page(request, config_);
}

bool AccessControl::came_over_loopback(const net::HttpRequest& request) const {
  if (!is_loopback(request.peer)) return false;
  const std::string_view host = host_name(net::find_header(request.headers, "Host"));
  return host == "localhost" || is_loopback(host) ||
         std::ranges::find(config_.own_hosts, host) != config_.own_hosts.end();
}

bool AccessControl::is_admin(std::string_view presented) const {
  return !config_.admin_token.empty() &&
         crypto::equal_constant_time(crypto::sha256(presented),
                                     crypto::sha256(config_.admin_token.reveal()));
}

Result<std::optional<KnownKey>> AccessControl::find_key(std::string_view presented,
                                                        TimePoint now) const {
  const std::string hash = crypto::sha256(presented);
  const auto found = configured_.find(hash);
  if (found != configured_.end() && crypto::equal_constant_time(found->first, hash)) {
    return found->second;
  }
  return book_->find(presented, now);
}

AccessControl::Checked AccessControl::check_admin(std::string_view presented, TimePoint now) const {
  if (presented.empty()) {
    return std::unexpected(unauthorized("This needs the admin token as a bearer token."));
  }
  if (is_admin(presented)) return Caller{.name = "admin"};
  const auto key = find_key(presented, now);
  if (!key) return std::unexpected(problem_of(key.error()));
  if (!*key) {
    return std::unexpected(
        unauthorized("This needs the admin token as a bearer token.", "invalid_token"));
  }
  // What another application's key says of itself opens nothing here.
  if (!(*key)->application.empty() || !(*key)->scopes.has(otp::Scope::admin)) {
    return std::unexpected(insufficient({otp::Scope::admin}));
  }
  return Caller{.name = (*key)->name};
}

AccessControl::Checked AccessControl::check_key(std::string_view presented, const Need& need,
                                                TimePoint now) const {
  auto key = find_key(presented, now);
  if (!key) return std::unexpected(problem_of(key.error()));
  if (!*key) return std::unexpected(unknown_key());
  if (!(*key)->scopes.has_any_of(need.scopes)) return std::unexpected(insufficient(need.scopes));
  return Caller{std::move((*key)->name), std::move((*key)->application), true};
}

AccessControl::Checked AccessControl::check_keyless(const Need& need,
                                                    const net::HttpRequest& request,
                                                    std::string_view client_ip) const {
  const bool may_send = need.access == Access::public_application;
  const std::string_view page = may_send ? config_.cors.application_of(request) : "";
  if (config_.public_others.contains(page)) return Caller{.application = std::string(page)};
  if (may_send && page.empty() && config_.public_application) return Caller{};
  if (has_keys() || !page.empty()) {
    return std::unexpected(unauthorized("This needs an API key as a bearer token."));
  }
  if (is_local(request, client_ip)) return Caller{.speaks_for_users = true};
  return std::unexpected(
      unauthorized("There is no API key yet, so only this machine may call. Make one, or open "
                   "sending and verifying by auth.public."));
}

AccessControl::Checked AccessControl::check(const Need& need, const net::HttpRequest& request,
                                            std::string_view client_ip, TimePoint now) const {
  const std::string_view presented = bearer(request);
  switch (need.access) {
    case Access::anybody:
      return Caller{};
    case Access::admin:
      return check_admin(presented, now);
    case Access::operation:
      if (is_local(request, client_ip)) return Caller{.name = "operator"};
      return check_admin(presented, now);
    case Access::test:
      if (is_local(request, client_ip)) return Caller{.name = "test"};
      return std::unexpected(
          Problem{.name = ProblemName::forbidden, .detail = "Only this machine may do this."});
    case Access::application:
    case Access::public_application:
      break;
  }
  return presented.empty() ? check_keyless(need, request, client_ip)
                           : check_key(presented, need, now);
}

}  // namespace otpd::gateway
