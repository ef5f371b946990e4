// Health, readiness, metrics, the contract and the demo page.
#include <algorithm>

#include "gateway/request.h"
#include "gateway/service.h"
#include "gateway/static_files.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

// The demo page may load its own files and call its own origin, and nothing else.
constexpr std::string_view k_demo_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view path) {
  if (path.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (path.ends_with(".css")) return "text/css; charset=utf-8";
  if (path.ends_with(".yaml")) return "application/yaml";
  return "text/html; charset=utf-8";
}

// What an application has spent of its budget, and how much that is. Nothing if the store does not
// answer.
Task<void> show_budget(const Service& service, const Application& app) {
  const auto& cap = app.rules.caps.application[otp::Meter::spent];
  const auto spent = co_await app.issuer.caps().spent();
  if (!spent || !cap) co_return;
  const auto show = [&](const char* name, const char* help, otp::Micros amount) {
    service.metrics.gauge(name, help, {{"application", app.rules.application}})
        .set(static_cast<double>(amount) / static_cast<double>(otp::k_micros));
  };
  show("otpd_budget_spent", "What counts of the application's budget, in the currency.", *spent);
  show("otpd_budget_limit", "The application's budget of any 24 hours, in the currency.", cap->max);
}

}  // namespace

Task<net::HttpResponse> health(const Service&, const Call&) {
  co_return json_response({{"status", "ok"}});
}

Task<net::HttpResponse> readiness(const Service& service, const Call&) {
  const auto store = co_await service.store.ping();
  ordered_json checks{{service.store_name, store ? "ok" : "failed"}};
  bool ready = store.has_value();
  for (const Service::Part& part : service.parts) {
    const auto answer = co_await part.ask();
    checks[part.name] = answer ? "ok" : "failed";
    ready = ready && (answer || !part.required);
  }
  if (service.serves_applications && !service.key_book.is_loaded()) {
    checks["api_keys"] = "failed";
    ready = false;
  }
  if (ready) co_return json_response({{"status", "ready"}, {"checks", checks}});
  co_return to_response({.name = ProblemName::unavailable,
                         .detail = "A part that is needed cannot serve.",
                         .retry_after = Seconds(1),
                         .checks = checks.dump()});
}

Task<net::HttpResponse> metrics_page(const Service& service, const Call&) {
  Metrics& metrics = service.metrics;
  if (const auto stats = co_await service.queue.stats(service.clock.now())) {
    metrics.gauge("otpd_queue_waiting", "Jobs that wait for delivery.")
        .set(static_cast<double>(stats->waiting));
    metrics.gauge("otpd_queue_leased", "Jobs that a worker holds.")
        .set(static_cast<double>(stats->leased));
    metrics.gauge("otpd_queue_dead", "Dead letters.").set(static_cast<double>(stats->dead));
    metrics.gauge("otpd_queue_oldest_seconds", "Age of the oldest due job that nobody has taken.")
        .set(static_cast<double>(stats->oldest_due.count()) / 1'000);
  }
  co_await show_budget(service, service.base);
  for (const auto& [_, other] : service.others) co_await show_budget(service, other);
  metrics.gauge("otpd_hash_queue_depth", "Hashes that wait or run.")
      .set(static_cast<double>(service.hashes.depth()));
  co_return net::HttpResponse{
      200, "text/plain; version=0.0.4; charset=utf-8", metrics.render(), {}};
}

Task<net::HttpResponse> static_page(const Service& service, const Call& call) {
  const std::string_view path = call.request.path;
  const auto files = static_files();
  const auto file = std::ranges::find(files, path, &StaticFile::path);
  if (file == files.end() || (path.starts_with("/demo") && !service.demo)) {
    co_return to_response({.name = ProblemName::not_found, .detail = "There is no such page."});
  }
  net::HttpResponse response{200, std::string(type_of(path)), std::string(file->bytes), {}};
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (path.starts_with("/demo")) {
    response.headers.emplace_back("Content-Security-Policy", k_demo_policy);
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
  }
  co_return response;
}

}  // namespace otpd::gateway
