// The endpoints for events, as operators see them and switch them on again.
#include "gateway/application_query.h"

namespace otpd::gateway {
namespace {

net::HttpResponse webhook_answer(const Service& service, const Application& app) {
  if (app.webhook == nullptr) {
    return to_response({.name = ProblemName::not_found, .detail = "There is no webhook endpoint."});
  }
  const bool shared = app.webhook == service.base.webhook;
  const auto since = app.webhook->disabled_since();
  nlohmann::ordered_json body{{"application", (shared ? service.base : app).rules.application},
                              {"url", app.webhook->url()},
                              {"disabled", since.has_value()}};
  if (since) body["since"] = rfc3339(*since);
  body["failing"] = app.webhook->failing();
  return json_response(body);
}

}  // namespace

Task<net::HttpResponse> show_webhook(const Service& service, const Call& call) {
  const auto app = read_application(service, call);
  if (!app) co_return to_response(app.error());
  co_return webhook_answer(service, **app);
}

Task<net::HttpResponse> enable_webhook(const Service& service, const Call& call) {
  if (auto body = refuse_body(call.request)) co_return to_response(*body);
  const auto app = read_application(service, call);
  if (!app) co_return to_response(app.error());
  if ((*app)->webhook != nullptr) {
    const auto enabled = co_await (*app)->webhook->enable(call.client_ip);
    if (!enabled) co_return to_response(problem_of(enabled.error()));
  }
  co_return webhook_answer(service, **app);
}

}  // namespace otpd::gateway
