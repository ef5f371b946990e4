// POST /otp/send.
#include <fmt/format.h>

#include <algorithm>

#include "base/uuid.h"
#include "gateway/captcha_answer.h"
#include "gateway/otp_members.h"
#include "gateway/request.h"
#include "gateway/service.h"
#include "otp/spending.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_channel = 32;
constexpr std::size_t k_max_user = 36;
constexpr std::size_t k_max_locale = 35;  // RFC 5646 section 4.4.1
constexpr std::size_t k_max_idempotency_key = 255;

std::string read_channel(Members& members, const otp::Recipient& recipient) {
  const bool phone = recipient.kind == otp::Recipient::Kind::phone;
  const std::string channel =
      members.text("channel", k_max_channel).value_or(phone ? "sms" : "email");
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

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= k_max_idempotency_key &&
         std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

// From the Idempotency-Key field (bare, or quoted as a structured-field string) or the member.
std::string read_idempotency_key(Members& members, const net::HttpRequest& request) {
  const std::string member = members.text("idempotency_key", k_max_idempotency_key).value_or("");
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

// The user that a right code logs in: whoever could name any user could be any user.
std::string read_user(Members& members, const Call& call) {
  const auto text = members.text("user_id", k_max_user);
  if (!text) return {};
  auto uuid = parse_uuid(*text);
  if (!call.caller.speaks_for_users) {
    members.refuse(ProblemName::invalid_request, "user_id",
                   "Only a caller with an API key may say whose login it is.");
  } else if (!uuid) {
    members.refuse(ProblemName::invalid_request, "user_id", "\"user_id\" must be a UUID.");
  }
  return uuid.value_or("");
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
    (void)members.text("channel", k_max_channel);
  }
  request.user_id = read_user(members, call);
  request.locale = members.text("locale", k_max_locale).value_or("");
  request.context = read_context(members, call.app, request.purpose);
  // What a message confirms is told in it: strangers would write to people in our name.
  const bool confirms = call.app.rules.policies.contains(request.purpose) &&
                        call.app.rules.policies.at(request.purpose).needs_context;
  if (confirms && !call.caller.speaks_for_users) {
    members.refuse(ProblemName::invalid_request, "purpose",
                   "Only a caller with an API key may say what a message confirms.");
  }
  request.idempotency_key = read_idempotency_key(members, call.request);
  read_captcha(members, call.app.rules.captcha, request);
  request.client_ip = read_client_ip(members, call);
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

net::HttpResponse send_answer(const otp::Sent& sent) {
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

template <class Refusal>
  requires requires(const Refusal& refusal) { problem_of(refusal); }
net::HttpResponse send_answer(const Refusal& refusal) {
  return to_response(problem_of(refusal));
}

net::HttpResponse send_answer(const otp::KeyReused&) {
  return to_response(key_reused());
}
net::HttpResponse send_answer(const otp::InProgress&) {
  return to_response(in_progress());
}

net::HttpResponse send_answer(const otp::Undeliverable& refused) {
  return to_response(
      {.name = ProblemName::delivery_unavailable,
       .detail = "No carrier that could take this message answers; nothing was done.",
       .retry_after = std::max(std::chrono::ceil<Seconds>(refused.retry_after), Seconds(1))});
}

net::HttpResponse send_answer(const otp::NotAllowed& refused) {
  return to_response({.name = ProblemName::recipient_not_allowed,
                      .detail = refused.reason.starts_with("country")
                                    ? "Phones of this country are not served."
                                    : "Numbers of this kind are not served.",
                      .member = "phone"});
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
  co_return std::visit([](const auto& one) { return send_answer(one); }, *outcome);
}

}  // namespace otpd::gateway
