#include "gateway/gateway.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/log.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_request_id = 64;
constexpr std::size_t k_request_id_bytes = 12;

constexpr otp::Scopes k_send{otp::Scope::send};
constexpr otp::Scopes k_verify{otp::Scope::verify};
constexpr otp::Scopes k_send_or_verify{otp::Scope::send, otp::Scope::verify};
constexpr otp::Scopes k_sessions{otp::Scope::sessions};
constexpr otp::Scopes k_factors{otp::Scope::factors};

// Splits "/otp/{id}" or "/otp/abc" into its segments.
std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    out.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= k_max_request_id && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

struct Gateway::Route {
  std::string_view method;
  std::string_view path;
  Need need;
  RouteHandler handler;
  std::vector<std::string> pattern = segments(path);
  std::vector<Counter> by_class{};  // 2xx, 3xx, 4xx, 5xx
  std::vector<Histogram> seconds{};

  // What stands for each {…}, or nothing if the path is another.
  std::optional<std::vector<std::string>> match(const std::vector<std::string>& requested) const {
    if (requested.size() != pattern.size()) return std::nullopt;
    std::vector<std::string> params;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i].starts_with('{') && !requested[i].empty()) {
        params.push_back(requested[i]);
      } else if (pattern[i] != requested[i]) {
        return std::nullopt;
      }
    }
    return params;
  }
};

struct Gateway::Meters {
  explicit Meters(Metrics& metrics)
      : in_flight(metrics.gauge("otpd_requests_in_flight", "Requests being answered.")),
        shed(metrics.counter("otpd_requests_shed_total",
                             "Requests refused because too many were being answered.")) {}
  Gauge in_flight;
  Counter shed;
};

// How far a request has come.
struct Gateway::Way {
  const Route* route = nullptr;
  std::optional<std::string> application;  // the caller's, once it is known
};

// Counts one request while it lives, however it ends.
struct Gateway::InFlight {
  InFlight(std::atomic<std::size_t>& all, const Gauge& gauge)
      : count(all), meter(gauge), number(count.fetch_add(1) + 1) {}
  ~InFlight() { meter.set(static_cast<double>(count.fetch_sub(1) - 1)); }
  std::atomic<std::size_t>& count;
  const Gauge& meter;
  const std::size_t number;  // how many there are, with this one
};

Gateway::Gateway(Service service)
    : service_(std::move(service)), meters_(std::make_unique<Meters>(service_.metrics)) {
  routes_ = {
      {"POST", "/otp/send", {Access::public_application, k_send}, send_code},
      {"POST", "/otp/verify", {Access::public_application, k_verify}, verify_code},
      {"GET", "/otp/{verification_id}", {Access::application, k_send_or_verify}, get_verification},
      {"DELETE", "/otp/{verification_id}", {Access::application, k_send}, cancel_verification},
      {"GET", "/captcha", {Access::public_application, k_send}, fresh_captcha},
      {"POST", "/session/introspect", {Access::application, k_sessions}, introspect_session},
      {"POST", "/session/revoke", {Access::application, k_sessions}, revoke_session},
      {"POST", "/session/rotate", {Access::application, k_sessions}, rotate_session},
      {"POST", "/users/{user_id}/logout", {Access::application, k_sessions}, log_out_everywhere},
      {"GET", "/users/{user_id}/sessions", {Access::application, k_sessions}, list_sessions},
      {"DELETE",
       "/users/{user_id}/sessions/{session_id}",
       {Access::application, k_sessions},
       end_session},
      {"POST", "/users/{user_id}/factors", {Access::application, k_factors}, enrol_factor},
      {"GET", "/users/{user_id}/factors", {Access::application, k_factors}, list_factors},
      {"POST",
       "/users/{user_id}/factors/{factor_id}/confirm",
       {Access::application, k_factors},
       confirm_factor},
      {"POST",
       "/users/{user_id}/factors/{factor_id}/verify",
       {Access::application, k_factors},
       verify_factor},
      {"DELETE",
       "/users/{user_id}/factors/{factor_id}",
       {Access::application, k_factors},
       remove_factor},
      {"POST",
       "/users/{user_id}/recovery-codes",
       {Access::application, k_factors},
       make_recovery_codes},
      {"POST",
       "/users/{user_id}/recovery-codes/verify",
       {Access::application, k_factors},
       verify_recovery_code},
      {"POST", "/users/{user_id}/unlock", {Access::application, k_factors}, unlock_factors},
      {"GET", "/healthz", {Access::anybody}, health},
      {"GET", "/readyz", {Access::anybody}, readiness},
      {"GET", "/metrics", {Access::operation}, metrics_page},
      {"GET", "/openapi.yaml", {Access::anybody}, static_page},
      {"GET", "/callbacks/{provider}", {Access::anybody}, take_receipt},
      {"POST", "/callbacks/{provider}", {Access::anybody}, take_receipt},
      {"GET", "/admin/apps", {Access::admin}, list_applications},
      {"GET", "/admin/apps/{name}", {Access::admin}, show_application},
      {"GET", "/admin/providers", {Access::admin}, list_providers},
      {"POST", "/admin/providers/{name}/disable", {Access::admin}, disable_provider},
      {"POST", "/admin/providers/{name}/enable", {Access::admin}, enable_provider},
      {"GET", "/admin/queue", {Access::admin}, show_queue},
      {"GET", "/admin/dead-letters", {Access::admin}, list_dead_letters},
      {"POST", "/admin/dead-letters/{id}/requeue", {Access::admin}, requeue_dead_letter},
      {"GET", "/admin/webhook", {Access::admin}, show_webhook},
      {"POST", "/admin/webhook/enable", {Access::admin}, enable_webhook},
      {"GET", "/admin/keys", {Access::admin}, list_api_keys},
      {"POST", "/admin/keys", {Access::admin}, create_api_key},
      {"POST", "/admin/keys/{id}/rotate", {Access::admin}, rotate_api_key},
      {"DELETE", "/admin/keys/{id}", {Access::admin}, revoke_api_key},
      {"GET", "/admin/blocks", {Access::admin}, list_blocks},
      {"DELETE", "/admin/blocks/{prefix}", {Access::admin}, reset_block},
      {"GET", "/admin/verifications/{verification_id}", {Access::admin}, show_timeline},
      {"GET", "/admin/users/{user_id}/factors", {Access::admin}, support_list_factors},
      {"DELETE",
       "/admin/users/{user_id}/factors/{factor_id}",
       {Access::admin},
       support_remove_factor},
      {"POST", "/admin/users/{user_id}/unlock", {Access::admin}, support_unlock_factors},
      {"GET", "/admin/events", {Access::admin}, search_events},
      {"GET", "/admin/audit/chains", {Access::admin}, list_chains},
      {"GET", "/admin/audit/lines", {Access::admin}, list_chain_lines},
      {"GET", "/admin/audit/checkpoints", {Access::admin}, list_checkpoints},
      {"GET", "/demo", {Access::anybody}, static_page},
      {"GET", "/demo/{file}", {Access::anybody}, static_page},
  };
  if (!service_.serves_applications) {
    std::erase_if(routes_, [](const Route& route) {
      return route.handler != health && route.handler != readiness && route.handler != metrics_page;
    });
  }
  if (service_.virtual_clock != nullptr) {
    routes_.push_back({"GET", "/admin/test-clock", {Access::test}, read_test_clock});
    routes_.push_back({"POST", "/admin/test-clock", {Access::test}, set_test_clock});
    routes_.push_back({"POST", "/admin/test-clock/advance", {Access::test}, advance_test_clock});
  }
  for (Route& route : routes_) {
    const std::string name = std::string(route.method) + " " + std::string(route.path);
    for (const char* status : {"2xx", "3xx", "4xx", "5xx"}) {
      route.by_class.push_back(service_.metrics.counter("otpd_requests_total",
                                                        "Answers, by route and class of status.",
                                                        {{"route", name}, {"status", status}}));
    }
    route.seconds.push_back(service_.metrics.seconds(
        "otpd_request_seconds", "Time to answer, by route.", {{"route", name}}));
  }
}

Gateway::~Gateway() = default;

std::string Gateway::request_id(const net::HttpRequest& request) {
  const std::string_view given = net::find_header(request.headers, "X-Request-Id");
  if (is_request_id(given)) return std::string(given);
  return base64url_encode(service_.random.bytes(k_request_id_bytes));
}

bool Gateway::is_for_browsers(std::string_view path) const {
  return std::ranges::any_of(routes_, [&](const Route& route) {
    return route.need.access == Access::public_application && route.path == path;
  });
}

Task<net::HttpResponse> Gateway::handle(net::HttpRequest request) {
  const auto begun = std::chrono::steady_clock::now();
  const std::string id = request_id(request);
  Way way;
  const Route*& route = way.route;
  net::HttpResponse response;
  {
    const InFlight place(in_flight_, meters_->in_flight);
    if (place.number <= service_.max_in_flight) {
      response = co_await dispatch(request, way);
    } else {
      meters_->shed.add();
      response = to_response(problem_of(Error{Failure::overloaded, {}}));
    }
  }
  wipe(request.body);  // it may hold a code or a token
  if (service_.cors.is_on() && is_for_browsers(request.path)) {
    service_.cors.open(request, response, way.application);
  }
  response.headers.emplace_back("X-Request-Id", id);

  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  if (route != nullptr) {
    const auto status_class = std::clamp(response.status / 100 - 2, 0, 3);
    route->by_class[static_cast<std::size_t>(status_class)].add();
    route->seconds[0].observe(took.count());
  }
  log::write(response.status >= 500 ? log::Level::warn : log::Level::info, "request",
             {{"request_id", id},
              {"method", request.method},
              {"route", route != nullptr ? route->path : "none"},
              {"status", response.status},
              {"seconds", took.count()}});
  co_return response;
}

Task<net::HttpResponse> Gateway::dispatch(const net::HttpRequest& request, Way& way) {
  const Route*& route = way.route;
  const auto requested = segments(request.path);
  // HEAD is GET whose body the server leaves out.
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  // "/otp/send" is itself, and not the verification of that name.
  const bool literal = std::ranges::find(routes_, requested, &Route::pattern) != routes_.end();
  std::vector<std::string> params;
  std::string allowed;
  for (const Route& one : routes_) {
    auto matched = one.match(requested);
    if (!matched || (literal && one.pattern != requested)) continue;
    allowed += (allowed.empty() ? "" : ", ") + std::string(one.method);
    if (one.method == method) {
      route = &one;
      params = std::move(*matched);
      break;
    }
  }
  if (route == nullptr && allowed.empty()) {
    co_return to_response({.name = ProblemName::not_found, .detail = "There is no such path."});
  }
  if (request.method == "OPTIONS" && service_.cors.is_on() && is_for_browsers(request.path)) {
    co_return service_.cors.preflight(request, allowed);
  }
  if (route == nullptr) {
    co_return to_response({.name = ProblemName::method_not_allowed,
                           .detail = "This path does not have this method.",
                           .headers = {{"Allow", allowed}}});
  }
  const std::string address = client_ip(request, service_.trusted_proxies);
  auto caller = service_.access.check(route->need, request, address, service_.clock.now());
  if (!caller) co_return to_response(caller.error());
  way.application = caller->application;
  const Application* app = service_.find_application(caller->application);
  if (app == nullptr) {
    co_return to_response({.name = ProblemName::unauthorized,
                           .detail = "The application of this API key is not served."});
  }
  const Call call{request, address, std::move(*caller), std::move(params), *app};
  co_return co_await route->handler(service_, call);
}

net::HttpResponse Gateway::error_page(int status, std::string_view reason,
                                      const net::RequestGist& request) {
  net::HttpResponse response = to_response(problem_of_status(status, reason));
  if (service_.cors.is_on() && is_for_browsers(request.path)) {
    net::HttpRequest refused;
    refused.headers.emplace_back("Origin", request.origin);
    service_.cors.open(refused, response, {});
  }
  response.headers.emplace_back("X-Request-Id",
                                base64url_encode(service_.random.bytes(k_request_id_bytes)));
  return response;
}

}  // namespace otpd::gateway
