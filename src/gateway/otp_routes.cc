// POST /otp/verify, GET and DELETE /otp/{verification_id}.
#include <fmt/format.h>

#include <algorithm>

#include "gateway/otp_members.h"
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_key = 255;
constexpr std::size_t k_max_token = 128;
constexpr std::size_t k_max_code = 10;

struct VerifyBody {
  std::optional<otp::LinkToken> link;  // or
  otp::VerifyRequest request;
};

Problem not_a_code(std::string_view member, std::string detail) {
  return {.name = ProblemName::invalid_code,
          .detail = std::move(detail),
          .member = std::string(member)};
}

// A request by the token of a link names no recipient: the token carries its own.
Checked<VerifyBody> read_link(Members& members, const Call& call) {
  VerifyBody body;
  auto text = members.text("token", k_max_token);
  body.request.device = read_device(members);
  body.request.client_ip = read_client_ip(members, call);
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  body.link = otp::LinkToken::parse(text.value_or(""));
  if (text) wipe(*text);
  if (!body.link) return std::unexpected(not_a_code("token", "This is not the token of a link."));
  return body;
}

Checked<VerifyBody> read_verify(const Call& call) {
  auto object = read_json(call.request);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  if (object->contains("token")) return read_link(members, call);
  VerifyBody body;
  auto recipient = read_recipient(members, call.app);
  if (recipient) body.request.recipient = std::move(*recipient);
  body.request.purpose = read_purpose(members, call.app);
  body.request.context = read_context(members, call.app, body.request.purpose);
  body.request.device = read_device(members);
  body.request.client_ip = read_client_ip(members, call);
  if (!call.caller.speaks_for_users || object->contains("client_ip")) {
    body.request.limited_ip = body.request.client_ip;
  }
  const auto id = members.text("verification_id", k_max_key);
  auto code = members.text("code", 64);
  if (!code) members.refuse(ProblemName::invalid_request, "code", "\"code\" is missing.");
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  if (code->size() > k_max_code ||
      !std::ranges::all_of(*code, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::unexpected(not_a_code("code", "A code is made of the digits 0 to 9 only."));
  }
  body.request.code = Secret(std::move(*code));
  if (id) {
    // An id of another recipient, or none at all, is like a verification that is not there.
    const auto parsed = otp::VerificationId::parse(*id);
    body.request.verification_id = parsed ? parsed->unique : std::string(otp::k_unique_bytes, '\0');
  }
  body.request.caller = call.caller.name;
  return body;
}

net::HttpResponse answer(const otp::Verified& verified) {
  ordered_json body;
  if (!verified.session.empty()) {
    body["session_token"] = verified.session.reveal();
    body["expires_in"] = verified.session_expires_in.count();
  }
  body["verification_id"] = verified.id.text();
  body["user_id"] = verified.user_id;
  auto response = json_response(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::HttpResponse answer(const otp::WrongCode& wrong) {
  if (wrong.attempts_remaining > 0) {
    return to_response({.name = ProblemName::invalid_otp,
                        .detail = "The code is wrong.",
                        .attempts_remaining = wrong.attempts_remaining});
  }
  return to_response({.name = ProblemName::attempts_exhausted,
                      .detail = "That was the last attempt; this code no longer works.",
                      .attempts_remaining = 0,
                      .requires_new_otp = true});
}

net::HttpResponse answer(const otp::Exhausted&) {
  return answer(otp::WrongCode{0});
}

net::HttpResponse answer(const otp::Gone&) {
  return to_response({.name = ProblemName::otp_expired,
                      .detail = "There is no such code, or no longer.",
                      .requires_new_otp = true});
}

net::HttpResponse answer(const otp::BadCode& bad) {
  return to_response(
      not_a_code("code", fmt::format("A code has {} digits for this purpose.", bad.digits)));
}

// Refusals that problem.h has words for.
template <class Refusal>
  requires requires(const Refusal& refusal) { problem_of(refusal); }
net::HttpResponse answer(const Refusal& refusal) {
  return to_response(problem_of(refusal));
}

net::HttpResponse not_found() {
  return to_response(
      {.name = ProblemName::not_found, .detail = "There is no such verification, or no longer."});
}

net::HttpResponse answer(const otp::VerificationId& id, const otp::Verification& found,
                         TimePoint now) {
  ordered_json body{{"verification_id", id.text()},
                    {"status", otp::status_name(found, now)},
                    {"channel", found.channel},
                    {"purpose", found.purpose},
                    {"attempts_remaining", found.attempts_remaining()},
                    {"created_at", rfc3339(found.created_at)},
                    {"expires_at", rfc3339(found.expires_at)}};
  if (found.delivery != otp::DeliveryState::queued) {
    body["delivery_at"] = rfc3339(found.delivery_at);
  }
  if (!found.delivery_error.empty()) body["delivery_error"] = found.delivery_error;
  if (found.state != otp::VerificationState::live) body["ended_at"] = rfc3339(found.ended_at);
  return json_response(body);
}

}  // namespace

Task<net::HttpResponse> verify_code(const Service& service, const Call& call) {
  auto body = read_verify(call);
  if (!body) co_return to_response(body.error());
  const auto outcome = body->link ? co_await call.app.verifier.verify_link(
                                        *body->link, call.caller.name, body->request.client_ip,
                                        std::move(body->request.device))
                                  : co_await call.app.verifier.verify(std::move(body->request));
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  if (const auto* yes = std::get_if<otp::Verified>(&*outcome); yes != nullptr && !yes->repeated) {
    service.tally.count(delivery::Tally::What::verified, yes->lane, yes->country);
  }
  co_return std::visit([](const auto& one) { return answer(one); }, *outcome);
}

Task<net::HttpResponse> get_verification(const Service& service, const Call& call) {
  const auto id = otp::VerificationId::parse(call.params[0]);
  if (!id) co_return not_found();
  const auto found = co_await call.app.verifications.find(*id);
  if (!found) co_return to_response(problem_of(found.error()));
  co_return *found ? answer(*id, **found, service.clock.now()) : not_found();
}

Task<net::HttpResponse> cancel_verification(const Service& service, const Call& call) {
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto id = otp::VerificationId::parse(call.params[0]);
  if (!id) co_return not_found();
  const auto found = co_await call.app.verifications.cancel(*id, call.client_ip);
  if (!found) co_return to_response(problem_of(found.error()));
  co_return *found ? answer(*id, **found, service.clock.now()) : not_found();
}

}  // namespace otpd::gateway
