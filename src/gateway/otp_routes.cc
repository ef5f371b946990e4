// POST /otp/send, POST /otp/verify, GET and DELETE /otp/{verification_id}.
#include <fmt/format.h>

#include <algorithm>

#include "base/uuid.h"
#include "gateway/captcha_answer.h"
#include "gateway/recipients.h"
#include "gateway/request.h"
#include "gateway/service.h"
#include "otp/device.h"
#include "otp/spending.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_name = 32;
constexpr std::size_t k_max_locale = 35;  // RFC 5646 section 4.4.1
constexpr std::size_t k_max_key = 255;
constexpr std::size_t k_max_context = 256;
constexpr std::size_t k_max_token = 128;
constexpr std::size_t k_max_code = 10;
constexpr std::size_t k_max_address = 45;  // ::ffff: and an IPv4 address in full

// The recipient named by "phone" or "email", one of the two.
std::optional<otp::Recipient> read_recipient(Members& members, const Application& app) {
  auto recipient = find_recipient(members, app);
  if (!recipient) {
    members.refuse(ProblemName::invalid_request, "phone", "Give either \"phone\" or \"email\".");
  }
  return recipient;
}

// The policy's name under "purpose", or "login".
std::string read_purpose(Members& members, const Application& app) {
  const std::string purpose = members.text("purpose", k_max_name).value_or("login");
  if (!app.rules.policies.contains(purpose)) {
    members.refuse(ProblemName::invalid_request, "purpose", "There is no such purpose.");
  }
  return purpose;
}

// What a transaction confirms; required where the purpose needs it, refused where it does not.
otp::Context read_context(Members& members, const Application& app, const std::string& purpose) {
  const nlohmann::json* object = members.object("context");
  if (members.refused()) return {};
  const bool needed = app.rules.policies.at(purpose).needs_context;
  if ((object != nullptr) != needed) {
    members.refuse(ProblemName::invalid_request, "context",
                   needed ? "This purpose needs \"context\" with amount, currency and payee."
                          : "This purpose takes no \"context\".");
    return {};
  }
  if (object == nullptr) return {};
  Members inside(*object, "context.");
  otp::Context context{inside.text("amount", k_max_context).value_or(""),
                       inside.text("currency", k_max_context).value_or(""),
                       inside.text("payee", k_max_context).value_or("")};
  if (auto problem = inside.finish()) {
    members.refuse(problem->name, problem->member, problem->detail);
  } else if (auto checked = otp::check_context(context); !checked) {
    members.refuse(ProblemName::invalid_request, "context", checked.error().message + ".");
  }
  return context;
}

std::string read_channel(Members& members, const otp::Recipient& recipient) {
  const bool phone = recipient.kind == otp::Recipient::Kind::phone;
  const std::string channel = members.text("channel", k_max_name).value_or(phone ? "sms" : "email");
  const bool fits =
      phone ? channel == "sms" || channel == "voice" || channel == "whatsapp" : channel == "email";
  if (!fits) {
    members.refuse(ProblemName::invalid_request, "channel",
                   phone ? "A phone is reached by \"sms\", \"voice\" or \"whatsapp\"."
                         : "An e-mail address is reached by \"email\".");
  }
  return channel;
}

// RFC 5646, the well-formedness of its subtags only.
bool is_locale(std::string_view text) {
  std::size_t length = 0;
  bool first = true;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (c == '-') {
      if (length == 0 || (first && length < 2)) return false;
      length = 0;
      first = false;
    } else if (++length > 8 || !(letter || (!first && c >= '0' && c <= '9'))) {
      return false;
    }
  }
  return length >= (first ? 2U : 1U);
}

// Whose address limits and the audit log count: where the request came from, or the end user's as a
// caller with an API key tells it. From anybody else that would be a way around the limits.
std::string read_client_ip(Members& members, const Call& call) {
  const auto text = members.text("client_ip", k_max_address);
  if (!text) return call.client_ip;
  const auto address = parse_client_ip(*text);
  if (call.caller.name.empty()) {
    members.refuse(ProblemName::invalid_request, "client_ip",
                   "Only a caller with an API key may say whose request it is.");
  } else if (!address) {
    members.refuse(ProblemName::invalid_request, "client_ip",
                   "\"client_ip\" must be an IPv4 or IPv6 address and nothing else.");
  }
  return address.value_or("");
}

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= k_max_key &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

// From the Idempotency-Key field (bare, or quoted as a structured-field string) or the member.
std::string read_idempotency_key(Members& members, const net::HttpRequest& request) {
  const std::string member = members.text("idempotency_key", k_max_key).value_or("");
  std::string_view field = net::find_header(request.headers, "Idempotency-Key");
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  const bool two = net::count_headers(request.headers, "Idempotency-Key") > 1;
  const bool given = net::count_headers(request.headers, "Idempotency-Key") == 1;
  if (two || (given && !member.empty() && field != member)) {
    members.refuse(ProblemName::invalid_request, "idempotency_key",
                   "The request has two different idempotency keys.");
  } else if ((given && !is_key(field)) || (!member.empty() && !is_key(member))) {
    members.refuse(ProblemName::invalid_request, "idempotency_key",
                   "An idempotency key is 1 to 255 visible ASCII characters.");
  }
  return given ? std::string(field) : member;
}

Checked<otp::SendRequest> read_send(const Call& call) {
  auto object = read_json(call.request);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  otp::SendRequest request;
  auto recipient = read_recipient(members, call.app);
  request.purpose = read_purpose(members, call.app);
  if (recipient) {
    request.channel = read_channel(members, *recipient);
    request.recipient = std::move(*recipient);
  } else {
    (void)members.text("channel", k_max_name);
  }
  const std::string user_id = members.text("user_id", k_max_name + 4).value_or("");
  request.locale = members.text("locale", k_max_locale).value_or("");
  request.context = read_context(members, call.app, request.purpose);
  request.idempotency_key = read_idempotency_key(members, call.request);
  read_captcha(members, call.app.rules.captcha, request);
  request.client_ip = read_client_ip(members, call);
  if (const auto uuid = parse_uuid(user_id); uuid) request.user_id = *uuid;
  if (!user_id.empty() && request.user_id.empty()) {
    members.refuse(ProblemName::invalid_request, "user_id", "\"user_id\" must be a UUID.");
  }
  if (!request.locale.empty() && !is_locale(request.locale)) {
    members.refuse(ProblemName::invalid_request, "locale",
                   "\"locale\" must be a language tag like \"de-CH\".");
  }
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  if (!call.app.channels.contains(request.channel)) {
    return std::unexpected(
        Problem{.name = ProblemName::recipient_not_allowed,
                .detail = fmt::format("No carrier is configured for \"{}\".", request.channel),
                .member = "channel"});
  }
  request.caller = call.caller.name;
  return request;
}

net::HttpResponse answer(const otp::Sent& sent) {
  auto response = json_response({{"verification_id", sent.answer.verification_id.text()},
                                 {"status", "queued"},
                                 {"channel", sent.answer.channel},
                                 {"expires_in", sent.answer.expires_in.count()},
                                 {"attempts_remaining", sent.answer.attempts_remaining},
                                 {"resend_after", sent.answer.resend_after.count()}},
                                202);
  response.headers =
      rate_limit_headers("recipient", sent.rule, sent.verdict.remaining, sent.verdict.reset);
  return response;
}

Problem key_reused() {
  return {.name = ProblemName::idempotency_key_reused,
          .detail = "This idempotency key came with another request before.",
          .member = "idempotency_key"};
}

Problem in_progress() {
  return {.name = ProblemName::in_progress,
          .detail = "The first request with this idempotency key has not been answered yet.",
          .retry_after = Seconds(1)};
}

struct VerifyBody {
  std::optional<otp::LinkToken> link;  // or
  otp::VerifyRequest request;
};

Problem not_a_code(std::string_view member, std::string detail) {
  return {.name = ProblemName::invalid_code,
          .detail = std::move(detail),
          .member = std::string(member)};
}

// How the caller names the device that the session is for.
std::string read_device(Members& members) {
  std::string device = members.text("device", otp::k_max_device_bytes).value_or("");
  if (!device.empty() && !otp::is_device_label(device)) {
    members.refuse(ProblemName::invalid_request, "device",
                   "\"device\" must be 1 to 64 visible characters in one line.");
  }
  return device;
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

net::HttpResponse answer(const otp::KeyReused&) {
  return to_response(key_reused());
}
net::HttpResponse answer(const otp::InProgress&) {
  return to_response(in_progress());
}

net::HttpResponse answer(const otp::Undeliverable& refused) {
  return to_response(
      {.name = ProblemName::delivery_unavailable,
       .detail = "No carrier that could take this message answers; nothing was done.",
       .retry_after = std::max(std::chrono::ceil<Seconds>(refused.retry_after), Seconds(1))});
}

net::HttpResponse answer(const otp::NotAllowed& refused) {
  return to_response({.name = ProblemName::recipient_not_allowed,
                      .detail = refused.reason.starts_with("country")
                                    ? "Phones of this country are not served."
                                    : "Numbers of this kind are not served.",
                      .member = "phone"});
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

Task<net::HttpResponse> send_code(const Service& service, const Call& call) {
  auto request = read_send(call);
  if (!request) co_return to_response(request.error());
  const std::string country = request->recipient.country;
  const auto outcome = co_await call.app.issuer.send(std::move(*request));
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  const auto* sent = std::get_if<otp::Sent>(&*outcome);
  if (sent) otp::count_spent(service.metrics, call.app.rules.application, country, sent->price);
  co_return std::visit([](const auto& one) { return answer(one); }, *outcome);
}

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
  const auto id = otp::VerificationId::parse(call.params[0]);
  if (!id) co_return not_found();
  const auto found = co_await call.app.verifications.cancel(*id, call.client_ip);
  if (!found) co_return to_response(problem_of(found.error()));
  co_return *found ? answer(*id, **found, service.clock.now()) : not_found();
}

}  // namespace otpd::gateway
