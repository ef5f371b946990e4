// For operators: the applications that are served, and their rules.
#include "gateway/caps_json.h"
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

std::int64_t in_seconds(Millis time) {
  return std::chrono::ceil<Seconds>(time).count();
}

ordered_json shown_purpose(const otp::Policy& policy) {
  return {{"lifetime_s", policy.lifetime.count()},
          {"digits", policy.digits},
          {"attempts", policy.attempts},
          {"resend", policy.resend == otp::Resend::same_code ? "same" : "new"},
          {"live_codes", policy.live_codes},
          {"resend_after_s", policy.resend_after.count()},
          {"session", policy.opens_session},
          {"context", policy.needs_context},
          {"link", policy.has_link}};
}

ordered_json shown_limits(const otp::Limits& limits) {
  return {{"recipient_sends", limits.recipient_sends.max},
          {"recipient_window_s", in_seconds(limits.recipient_sends.window)},
          {"recipient_guesses", limits.recipient_guesses.max},
          {"recipient_guesses_window_s", in_seconds(limits.recipient_guesses.window)},
          {"user_sends", limits.user_sends.max},
          {"user_window_s", in_seconds(limits.user_sends.window)},
          {"ip_sends", limits.ip_sends.max},
          {"ip_window_s", in_seconds(limits.ip_sends.window)},
          {"ip_guesses", limits.ip_guesses.max},
          {"ip_guesses_window_s", in_seconds(limits.ip_guesses.window)},
          {"ip_countries", limits.ip_countries.max},
          {"ip_captchas", limits.ip_captchas.max},
          {"ip_captchas_window_s", in_seconds(limits.ip_captchas.window)},
          {"idempotency_ttl_s", limits.idempotency_ttl.count()}};
}

// `all`: every cap, not only the application's own.
ordered_json shown_application(const Application& app, bool base, bool all) {
  ordered_json purposes = ordered_json::array();
  for (const auto& [name, policy] : app.rules.policies) purposes.push_back(name);
  return {{"name", app.rules.application},
          {"base", base},
          {"channels", app.channels},
          {"purposes", std::move(purposes)},
          {"caps", caps_json(app.rules.caps, all)}};
}

}  // namespace

Task<net::HttpResponse> list_applications(const Service& service, const Call&) {
  ordered_json list = ordered_json::array({shown_application(service.base, true, false)});
  for (const auto& [name, app] : service.others) {
    list.push_back(shown_application(app, false, false));
  }
  co_return json_response({{"applications", std::move(list)}});
}

Task<net::HttpResponse> show_application(const Service& service, const Call& call) {
  const Application* app = service.find_application(call.params[0]);
  if (app == nullptr) {
    co_return to_response(
        {.name = ProblemName::not_found, .detail = "There is no such application."});
  }
  ordered_json body = shown_application(*app, app == &service.base, true);
  ordered_json purposes = ordered_json::object();
  for (const auto& [name, policy] : app->rules.policies) purposes[name] = shown_purpose(policy);
  body["purposes"] = std::move(purposes);
  body["limits"] = shown_limits(app->rules.limits);
  if (!app->default_region.empty()) body["default_region"] = app->default_region;
  co_return json_response(body);
}

}  // namespace otpd::gateway
