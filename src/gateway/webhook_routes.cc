// The endpoint for events, as operators see it and switch it on again.
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

net::HttpResponse no_webhook() {
  return to_response({.name = ProblemName::not_found, .detail = "There is no webhook endpoint."});
}

net::HttpResponse webhook_answer(const delivery::WebhookEndpoint& webhook) {
  const auto since = webhook.disabled_since();
  nlohmann::ordered_json body{{"url", webhook.url()}, {"disabled", since.has_value()}};
  if (since) body["since"] = rfc3339(*since);
  return json_response(body);
}

}  // namespace

Task<net::HttpResponse> show_webhook(const Service& service, const Call&) {
  if (service.webhook == nullptr) co_return no_webhook();
  co_return webhook_answer(*service.webhook);
}

Task<net::HttpResponse> enable_webhook(const Service& service, const Call& call) {
  if (auto body = refuse_body(call.request)) co_return to_response(*body);
  if (service.webhook == nullptr) co_return no_webhook();
  const auto enabled = co_await service.webhook->enable(call.client_ip);
  if (!enabled) co_return to_response(problem_of(enabled.error()));
  co_return webhook_answer(*service.webhook);
}

}  // namespace otpd::gateway
