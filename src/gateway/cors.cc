#include "gateway/cors.h"

namespace otpd::gateway {
namespace {

constexpr const char* k_asked_headers = "Content-Type, Idempotency-Key, X-Request-Id";
constexpr const char* k_told_headers = "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id";
constexpr const char* k_preflight_seconds = "7200";  // no browser believes it longer

}  // namespace

void Cors::add(const std::string& application, const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    if (origin == "*") {
      any_ = any_ || application.empty();
    } else {
      owners_.emplace(origin, application);
    }
  }
}

std::string_view Cors::application_of(const net::HttpRequest& request) const {
  if (net::count_headers(request.headers, "Origin") != 1) return {};
  const auto owner = owners_.find(net::find_header(request.headers, "Origin"));
  return owner == owners_.end() ? std::string_view() : owner->second;
}

bool Cors::allows(std::string_view origin, std::optional<std::string_view> application) const {
  // A page without an origin ("null") is anybody's.
  if (origin.empty() || origin == "null") return false;
  const auto owner = owners_.find(origin);
  if (owner == owners_.end()) return any_ && application.value_or("").empty();
  return !application || *application == owner->second;
}

net::HttpResponse Cors::preflight(const net::HttpRequest& request, std::string_view methods) const {
  net::HttpResponse response{204, {}, {}, {}};
  if (allows(net::find_header(request.headers, "Origin"), {})) {
    response.headers = {{"Access-Control-Allow-Methods", std::string(methods)},
                        {"Access-Control-Allow-Headers", k_asked_headers},
                        {"Access-Control-Max-Age", k_preflight_seconds}};
  }
  return response;
}

void Cors::open(const net::HttpRequest& request, net::HttpResponse& response,
                std::optional<std::string_view> application) const {
  response.headers.emplace_back("Vary", "Origin");
  const std::string_view origin = net::find_header(request.headers, "Origin");
  if (!allows(origin, application) || net::count_headers(request.headers, "Origin") != 1) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", k_told_headers);
}

}  // namespace otpd::gateway
