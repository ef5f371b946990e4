// Sessions: introspection (RFC 7662), revocation (RFC 7009), rotation, listing, logging out.
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_session_token = 1'024;
constexpr std::size_t k_max_hint = 64;

// The token of the RFCs' form, or of the same as JSON; nothing inside for one that is not ours.
// There is one kind of token, so the hint at its kind is not needed.
Checked<std::optional<otp::SessionToken>> read_token(const net::HttpRequest& request) {
  const bool form = has_media_type(request, "application/x-www-form-urlencoded");
  auto object = form ? parse_form(request.body) : read_json(request);
  if (!object) return std::unexpected(object.error());
  Members members(*object);
  auto text = members.text("token", k_max_session_token);
  (void)members.text("token_type_hint", k_max_hint);
  if (!text) members.refuse(ProblemName::invalid_request, "token", "\"token\" is missing.");
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  auto token = otp::SessionToken::parse(*text);
  wipe(*text);
  return token;
}

std::int64_t unix_seconds(TimePoint time) {
  return std::chrono::floor<Seconds>(time).time_since_epoch().count();
}

// What tells of a token is not for caches.
net::HttpResponse private_response(const ordered_json& body) {
  auto response = json_response(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Problem no_such_session() {
  return {.name = ProblemName::not_found, .detail = "There is no such session, or no longer."};
}

ordered_json shown_token(const otp::Session& session, const Service& service,
                         const Application& app) {
  ordered_json shown{{"active", true},
                     {"token_type", "Bearer"},
                     {"client_id", app.rules.application},
                     {"iss", service.public_url},
                     {"sub", session.user_id},
                     {"jti", otp::session_id_text(session.id)},
                     {"iat", unix_seconds(session.created_at)},
                     {"exp", unix_seconds(session.expires_at)},
                     {"purpose", session.purpose}};
  if (!session.device.empty()) shown["device"] = session.device;
  return shown;
}

ordered_json shown_session(const otp::Session& session, Seconds idle) {
  ordered_json shown{{"session_id", otp::session_id_text(session.id)},
                     {"purpose", session.purpose}};
  if (!session.device.empty()) shown["device"] = session.device;
  shown["created_at"] = rfc3339(session.created_at);
  if (session.last_used_at != TimePoint{}) shown["last_used_at"] = rfc3339(session.last_used_at);
  shown["idle_expires_at"] = rfc3339(otp::idle_end(session, idle));
  shown["expires_at"] = rfc3339(session.expires_at);
  return shown;
}

}  // namespace

Task<net::HttpResponse> introspect_session(const Service& service, const Call& call) {
  const auto token = read_token(call.request);
  if (!token) co_return to_response(token.error());
  std::optional<otp::Session> session;
  if (*token) {
    auto found = co_await call.app.sessions.introspect(**token, call.client_ip);
    if (!found) co_return to_response(problem_of(found.error()));
    session = std::move(*found);
  }
  co_return private_response(session ? shown_token(*session, service, call.app)
                                     : ordered_json{{"active", false}});
}

Task<net::HttpResponse> revoke_session(const Service&, const Call& call) {
  const auto token = read_token(call.request);
  if (!token) co_return to_response(token.error());
  if (*token) {
    const auto revoked = co_await call.app.sessions.revoke(**token, call.client_ip);
    if (!revoked) co_return to_response(problem_of(revoked.error()));
  }
  co_return private_response(ordered_json::object());
}

Task<net::HttpResponse> rotate_session(const Service&, const Call& call) {
  const auto token = read_token(call.request);
  if (!token) co_return to_response(token.error());
  if (!*token) co_return to_response(no_such_session());
  const auto rotated = co_await call.app.sessions.rotate(**token, call.caller.name, call.client_ip);
  if (!rotated) co_return to_response(problem_of(rotated.error()));
  if (!*rotated) co_return to_response(no_such_session());
  co_return private_response({{"session_token", (*rotated)->token.reveal()},
                              {"expires_in", (*rotated)->expires_in.count()},
                              {"session_id", otp::session_id_text((*rotated)->id)}});
}

Task<net::HttpResponse> log_out_everywhere(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto ended = co_await call.app.sessions.log_out(*user, call.client_ip);
  if (!ended) co_return to_response(problem_of(ended.error()));
  co_return json_response({{"revoked", *ended}});
}

Task<net::HttpResponse> list_sessions(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  const auto sessions = co_await call.app.sessions.list(*user);
  if (!sessions) co_return to_response(problem_of(sessions.error()));
  ordered_json list = ordered_json::array();
  for (auto session = sessions->rbegin(); session != sessions->rend(); ++session) {
    list.push_back(shown_session(*session, call.app.rules.session_idle));
  }
  co_return private_response({{"sessions", std::move(list)}});
}

Task<net::HttpResponse> end_session(const Service&, const Call& call) {
  const auto user = read_user_id(call.params[0]);
  if (!user) co_return to_response(user.error());
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto id = otp::parse_session_id(call.params[1]);
  if (!id) co_return to_response(no_such_session());
  const auto ended = co_await call.app.sessions.end(*user, *id, call.client_ip);
  if (!ended) co_return to_response(problem_of(ended.error()));
  co_return *ended ? json_response(ordered_json::object()) : to_response(no_such_session());
}

}  // namespace otpd::gateway
