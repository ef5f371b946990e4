// GET /captcha: a challenge before anybody asks for one, as widgets like to fetch it.
#include "gateway/otp_members.h"
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_purpose_name = 32;

net::HttpResponse challenge_response(std::string json) {
  return {200, "application/json", std::move(json), {{"Cache-Control", "no-store"}}};
}

}  // namespace

Task<net::HttpResponse> fresh_captcha(const Service&, const Call& call) {
  const auto query = read_query(call.request, {"version"});
  if (!query) co_return to_response(query.error());
  Members members(*query);
  const auto version = members.integer("version", 1, 2).value_or(2);
  const std::string purpose = members.text("purpose", k_max_purpose_name).value_or("login");
  if (!call.app.rules.policies.contains(purpose)) {
    members.refuse(ProblemName::invalid_request, "purpose", "There is no such purpose.");
  }
  const std::string client = read_client_ip(members, call);
  if (const auto problem = members.finish()) co_return to_response(*problem);
  const auto verdict = co_await call.app.issuer.captchas().charge_fetch(client);
  if (!verdict) co_return to_response(problem_of(verdict.error()));
  if (!verdict->allowed) {
    co_return to_response(
        problem_of(otp::RateLimited{"captcha", call.app.rules.limits.ip_captchas, *verdict}));
  }
  if (call.app.rules.captcha.kind != otp::CaptchaKind::altcha) {
    co_return challenge_response(call.app.issuer.captchas().hosted_challenge(purpose).json());
  }
  if (version == 1) {
    const auto old = co_await call.app.issuer.captchas().for_address_v1(purpose, client);
    co_return old ? challenge_response(old->json()) : to_response(problem_of(old.error()));
  }
  const auto made = co_await call.app.issuer.captchas().for_address(purpose, client);
  co_return made ? challenge_response(made->json()) : to_response(problem_of(made.error()));
}

}  // namespace otpd::gateway
