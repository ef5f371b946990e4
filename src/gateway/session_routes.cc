// Sessions: introspection (RFC 7662), revocation (RFC 7009), listing, logging out everywhere.
#include "base/encoding.h"
#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_session_token = 1'024;
constexpr std::size_t k_max_hint = 64;

// The token of the RFCs' form, or of the same as JSON; nothing inside for one that is not ours.
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

}  // namespace

Task<net::HttpResponse> introspect_session(const Service&, const Call& call) {
  const auto token = read_token(call.request);
  if (!token) co_return to_response(token.error());
  ordered_json body{{"active", false}};
  if (*token) {
    const auto session = co_await call.app.sessions.introspect(**token);
    if (!session) co_return to_response(problem_of(session.error()));
    if (*session) {
      body = {{"active", true},
              {"token_type", "Bearer"},
              {"sub", (*session)->user_id},
              {"jti", base64url_encode((*session)->id)},
              {"iat", unix_seconds((*session)->created_at)},
              {"exp", unix_seconds((*session)->expires_at)},
              {"purpose", (*session)->purpose}};
    }
  }
  auto response = json_response(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  co_return response;
}

Task<net::HttpResponse> revoke_session(const Service&, const Call& call) {
  const auto token = read_token(call.request);
  if (!token) co_return to_response(token.error());
  if (*token) {
    const auto revoked = co_await call.app.sessions.revoke(**token, call.client_ip);
    if (!revoked) co_return to_response(problem_of(revoked.error()));
  }
  co_return json_response(ordered_json::object());
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
    list.push_back({{"session_id", base64url_encode(session->id)},
                    {"purpose", session->purpose},
                    {"created_at", rfc3339(session->created_at)},
                    {"expires_at", rfc3339(session->expires_at)}});
  }
  co_return json_response({{"sessions", std::move(list)}});
}

}  // namespace otpd::gateway
