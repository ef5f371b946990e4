// Authenticator apps and recovery codes of a user.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/visible_text.h"
#include "gateway/otp_members.h"
#include "gateway/qr_code.h"
#include "gateway/request.h"
#include "gateway/service.h"
#include "otp/otpauth.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_label = 64;     // name and issuer
constexpr std::size_t k_max_account = 128;  // an e-mail address mostly
constexpr std::size_t k_max_secret_text = 256;
constexpr std::size_t k_min_secret = 16;  // RFC 4226 section 4, R6
constexpr std::size_t k_max_secret = 64;
constexpr std::int64_t k_min_period_s = 15;
constexpr std::int64_t k_max_period_s = 120;
constexpr std::int64_t k_max_counter = std::int64_t{1} << 48;
constexpr std::size_t k_max_typed_code = 64;
constexpr std::string_view k_session_purpose = "factor";

std::string_view type_name(otp::OathType type) {
  return type == otp::OathType::totp ? "totp" : "hotp";
}

// A line that an app can show; an issuer and an account without a colon, which would part them.
std::string read_label(Members& members, std::string_view name, std::size_t max_bytes,
                       bool may_have_colon) {
  const std::string text = members.text(name, max_bytes).value_or("");
  const bool shown = text.empty() || is_visible_line(text, max_bytes);
  if (!shown || (!may_have_colon && text.contains(':'))) {
    members.refuse(ProblemName::invalid_request, name,
                   fmt::format("\"{}\" must be one line of visible characters{}.", name,
                               may_have_colon ? "" : " without a colon"));
  }
  return text;
}

otp::OathParams read_params(Members& members) {
  otp::OathParams params;
  const std::string type = members.text("type", k_max_label).value_or("");
  if (type != "totp" && type != "hotp") {
    members.refuse(ProblemName::invalid_request, "type", R"("type" must be "totp" or "hotp".)");
  }
  if (type == "hotp") params.type = otp::OathType::hotp;
  const std::string algorithm = members.text("algorithm", k_max_label).value_or("SHA1");
  if (algorithm == "SHA256") {
    params.digest = crypto::Digest::sha256;
  } else if (algorithm == "SHA512") {
    params.digest = crypto::Digest::sha512;
  } else if (algorithm != "SHA1") {
    members.refuse(ProblemName::invalid_request, "algorithm",
                   R"("algorithm" must be "SHA1", "SHA256" or "SHA512".)");
  }
  params.digits = static_cast<std::uint32_t>(
      members.integer("digits", otp::k_min_oath_digits, otp::k_max_oath_digits)
          .value_or(params.digits));
  if (const auto period = members.integer("period", k_min_period_s, k_max_period_s)) {
    params.period = Seconds(*period);
    if (type == "hotp") {
      members.refuse(ProblemName::invalid_request, "period", "Only a TOTP factor has a period.");
    }
  }
  return params;
}

Secret read_secret(Members& members) {
  auto text = members.text("secret", k_max_secret_text);
  if (!text) return {};
  auto bytes = base32_decode(*text);
  wipe(*text);
  if (!bytes || bytes->size() < k_min_secret || bytes->size() > k_max_secret) {
    members.refuse(ProblemName::invalid_request, "secret",
                   fmt::format("\"secret\" must be {} to {} bytes in base 32 (RFC 4648).",
                               k_min_secret, k_max_secret));
    return {};
  }
  return Secret(std::move(*bytes));
}

Checked<otp::EnrolRequest> read_enrolment(const Call& call) {
  auto user = read_user_id(call.params[0]);
  if (!user) return std::unexpected(user.error());
  const auto object = read_json(call.request);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  otp::EnrolRequest request{.user_id = std::move(*user), .params = read_params(members)};
  request.name = read_label(members, "name", k_max_label, true);
  request.issuer = read_label(members, "issuer", k_max_label, false);
  request.account = read_label(members, "account", k_max_account, false);
  request.secret = read_secret(members);
  if (const auto counter = members.integer("counter", 0, k_max_counter)) {
    request.counter = static_cast<std::uint64_t>(*counter);
    if (request.params.type != otp::OathType::hotp || request.secret.empty()) {
      members.refuse(ProblemName::invalid_request, "counter",
                     "Only a HOTP factor that is imported has a counter.");
    }
  }
  request.client_ip = call.client_ip;
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  return request;
}

// Digits; whether they are as many as the factor has is for the rules to say.
Secret read_code(Members& members, std::string_view name) {
  auto text = members.text(name, k_max_typed_code);
  if (!text) return {};
  if (!std::ranges::all_of(*text, [](char c) { return c >= '0' && c <= '9'; })) {
    members.refuse(ProblemName::invalid_code, name, "A code is made of the digits 0 to 9 only.");
  }
  return Secret(std::move(*text));
}

Problem no_such_factor() {
  return {.name = ProblemName::not_found, .detail = "The user has no such factor, or no longer."};
}

// The session that a right code is to open, if it is to open one, and from where it is asked for.
struct SessionWish {
  bool wanted = false;
  std::string device;
  std::string client_ip;
};

SessionWish read_wish(Members& members, const Call& call) {
  return {members.boolean("session").value_or(false), read_device(members),
          read_client_ip(members, call)};
}

// `wish` is null where none can be asked for.
Checked<otp::FactorGuess> read_guess(const Call& call, SessionWish* wish = nullptr) {
  auto user = read_user_id(call.params[0]);
  if (!user) return std::unexpected(user.error());
  const auto object = read_json(call.request);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  otp::FactorGuess guess{.user_id = std::move(*user)};
  guess.code = read_code(members, "code");
  guess.following_code = read_code(members, "next_code");
  if (wish != nullptr) *wish = read_wish(members, call);
  if (guess.code.empty()) {
    members.refuse(ProblemName::invalid_request, "code", "\"code\" is missing.");
  }
  guess.client_ip = wish != nullptr ? wish->client_ip : call.client_ip;
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  auto id = otp::parse_factor_id(call.params[1]);
  if (!id) return std::unexpected(no_such_factor());
  guess.factor_id = std::move(*id);
  return guess;
}

net::HttpResponse secret_response(const ordered_json& body, int status) {
  auto response = json_response(body, status);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::HttpResponse closed_answer(std::string_view limit, Millis closed_for) {
  return to_response(problem_of(otp::RateLimited{
      limit,
      {1, closed_for},
      {.allowed = false, .remaining = 0, .retry_after = closed_for, .reset = closed_for}}));
}

net::HttpResponse refused_answer(const otp::CodeRefused& refused, std::string_view limit) {
  if (refused.closed_for > Millis(0)) return closed_answer(limit, refused.closed_for);
  return to_response({.name = ProblemName::invalid_otp,
                      .detail = "The code is wrong.",
                      .attempts_remaining = refused.guesses_left});
}

net::HttpResponse not_a_code_answer(const otp::NotACode& bad) {
  return to_response({.name = ProblemName::invalid_code,
                      .detail = fmt::format("A code has {} digits for this factor{}.", bad.digits,
                                            bad.takes_two ? ", and so has the one after it"
                                                          : ", and it is given alone"),
                      .member = "code"});
}

// What is answered to a guess that was not right.
net::HttpResponse guess_answer(const otp::FactorOutcome& outcome) {
  if (const auto* refused = std::get_if<otp::CodeRefused>(&outcome)) {
    return refused_answer(*refused, "factor");
  }
  if (const auto* closed = std::get_if<otp::FactorClosed>(&outcome)) {
    return closed_answer("factor", closed->closed_for);
  }
  if (const auto* bad = std::get_if<otp::NotACode>(&outcome)) return not_a_code_answer(*bad);
  return to_response(no_such_factor());
}

// The answer to a right code, with a session of the user if one was asked for.
Task<net::HttpResponse> accept(const Call& call, std::string user, ordered_json body,
                               SessionWish wish) {
  if (!wish.wanted) co_return json_response(body);
  const auto session = co_await call.app.sessions.open({.user_id = user,
                                                        .purpose = k_session_purpose,
                                                        .client_ip = wish.client_ip,
                                                        .device = wish.device});
  if (!session) co_return to_response(problem_of(session.error()));
  body["session_token"] = session->token.reveal();
  body["expires_in"] = session->expires_in.count();
  co_return secret_response(body, 200);
}

ordered_json shown_factor(const otp::Factor& factor, TimePoint now) {
  ordered_json shown{{"factor_id", otp::factor_id_text(factor.id)},
                     {"type", type_name(factor.params.type)},
                     {"status", factor.is_confirmed() ? "active" : "pending"},
                     {"algorithm", otp::algorithm_name(factor.params.digest)},
                     {"digits", factor.params.digits}};
  if (factor.params.type == otp::OathType::totp) shown["period"] = factor.params.period.count();
  if (!factor.name.empty()) shown["name"] = factor.name;
  shown["created_at"] = rfc3339(factor.created_at);
  if (factor.is_confirmed()) shown["last_used_at"] = rfc3339(factor.last_used_at);
  if (now < factor.wrong.closed_until) shown["locked_until"] = rfc3339(factor.wrong.closed_until);
  return shown;
}

}  // namespace

Task<net::HttpResponse> enrol_factor(const Service&, const Call& call) {
  auto request = read_enrolment(call);
  if (!request) co_return to_response(request.error());
  const auto type = request->params.type;
  const auto outcome = co_await call.app.factors.enrol(std::move(*request));
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  const auto* enrolled = std::get_if<otp::Enrolled>(&*outcome);
  if (enrolled == nullptr) {
    co_return to_response({.name = ProblemName::too_many_factors,
                           .detail = "Remove one of the user's factors first."});
  }
  const QrCode qr = draw_qr_code(enrolled->uri.reveal());
  ordered_json body{{"factor_id", otp::factor_id_text(enrolled->factor_id)},
                    {"type", type_name(type)},
                    {"status", "pending"},
                    {"secret", base32_encode(enrolled->secret.reveal())},
                    {"otpauth_uri", enrolled->uri.reveal()},
                    {"qr_svg", qr.svg},
                    {"qr_png", base64_encode(qr.png)}};
  if (enrolled->expires_in > Seconds(0)) body["expires_in"] = enrolled->expires_in.count();
  co_return secret_response(body, 201);
}

Task<net::HttpResponse> list_factors(const Service& service, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  const auto state = co_await call.app.factors.list(*user);
  if (!state) co_return to_response(problem_of(state.error()));
  const TimePoint now = service.clock.now();
  ordered_json list = ordered_json::array();
  for (const otp::Factor& factor : state->factors) list.push_back(shown_factor(factor, now));
  ordered_json recovery{{"left", state->recovery.digests.size()}};
  if (!state->recovery.digests.empty()) {
    recovery["created_at"] = rfc3339(state->recovery.created_at);
  }
  if (now < state->recovery.wrong.closed_until) {
    recovery["locked_until"] = rfc3339(state->recovery.wrong.closed_until);
  }
  co_return json_response({{"factors", std::move(list)}, {"recovery_codes", std::move(recovery)}});
}

Task<net::HttpResponse> confirm_factor(const Service&, const Call& call) {
  auto guess = read_guess(call);
  if (!guess) co_return to_response(guess.error());
  const std::string id = otp::factor_id_text(guess->factor_id);
  const auto outcome = co_await call.app.factors.confirm(std::move(*guess));
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  if (!std::holds_alternative<otp::CodeAccepted>(*outcome)) co_return guess_answer(*outcome);
  co_return json_response({{"factor_id", id}, {"status", "active"}});
}

Task<net::HttpResponse> verify_factor(const Service&, const Call& call) {
  SessionWish wish;
  auto guess = read_guess(call, &wish);
  if (!guess) co_return to_response(guess.error());
  const std::string id = otp::factor_id_text(guess->factor_id);
  const std::string user = guess->user_id;
  const auto outcome = co_await call.app.factors.verify(std::move(*guess));
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  if (!std::holds_alternative<otp::CodeAccepted>(*outcome)) co_return guess_answer(*outcome);
  co_return co_await accept(call, user, {{"factor_id", id}, {"status", "active"}}, std::move(wish));
}

Task<net::HttpResponse> remove_factor(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto id = otp::parse_factor_id(call.params[1]);
  if (!id) co_return to_response(no_such_factor());
  const auto removed = co_await call.app.factors.remove(*user, *id, call.client_ip);
  if (!removed) co_return to_response(problem_of(removed.error()));
  if (!*removed) co_return to_response(no_such_factor());
  co_return json_response(ordered_json::object());
}

Task<net::HttpResponse> make_recovery_codes(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto codes = co_await call.app.factors.make_recovery_codes(*user, call.client_ip);
  if (!codes) co_return to_response(problem_of(codes.error()));
  ordered_json list = ordered_json::array();
  for (const Secret& code : *codes) list.push_back(code.reveal());
  co_return secret_response({{"recovery_codes", std::move(list)}}, 201);
}

Task<net::HttpResponse> verify_recovery_code(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  const auto object = read_json(call.request);
  if (!object) co_return to_response(object.error());
  Members members(*object);
  auto typed = members.text("code", k_max_typed_code);
  if (!typed) members.refuse(ProblemName::invalid_request, "code", "\"code\" is missing.");
  SessionWish wish = read_wish(members, call);
  if (const auto problem = members.finish()) co_return to_response(*problem);
  Secret code = otp::find_recovery_code(*typed);
  wipe(*typed);
  if (code.empty()) {
    co_return to_response({.name = ProblemName::invalid_code,
                           .detail = "A recovery code looks like \"xxxxx-xxxxx\".",
                           .member = "code"});
  }
  const auto outcome =
      co_await call.app.factors.verify_recovery(*user, std::move(code), wish.client_ip);
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  if (const auto* refused = std::get_if<otp::CodeRefused>(&*outcome)) {
    co_return refused_answer(*refused, "recovery");
  }
  if (const auto* closed = std::get_if<otp::FactorClosed>(&*outcome)) {
    co_return closed_answer("recovery", closed->closed_for);
  }
  if (const auto* yes = std::get_if<otp::RecoveryAccepted>(&*outcome)) {
    co_return co_await accept(call, *user, {{"recovery_codes_left", yes->left}}, std::move(wish));
  }
  co_return to_response(
      {.name = ProblemName::not_found, .detail = "The user has no recovery codes, or no more."});
}

Task<net::HttpResponse> unlock_factors(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto unlocked = co_await call.app.factors.unlock(*user, call.client_ip);
  if (!unlocked) co_return to_response(problem_of(unlocked.error()));
  co_return json_response({{"unlocked", *unlocked}});
}

}  // namespace otpd::gateway
