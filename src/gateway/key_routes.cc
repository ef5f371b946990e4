// API keys, for operators: listed, made, rotated and revoked. A secret is told once.
#include <algorithm>

#include "gateway/request.h"
#include "gateway/service.h"

namespace otpd::gateway {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_max_key_name = 64;
constexpr std::size_t k_max_scope_name = 16;
constexpr std::int64_t k_max_key_life_s = 315'360'000;  // ten years
constexpr std::int64_t k_usual_overlap_s = 86'400;
constexpr std::int64_t k_max_overlap_s =
    std::chrono::duration_cast<Seconds>(otp::k_max_overlap).count();

// As names of the configuration are.
bool is_key_name(std::string_view text) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && is_lower(text[0]) && std::ranges::all_of(text, [&](char c) {
    return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string_view key_status(const otp::ApiKey& key, TimePoint now) {
  if (key.is_revoked()) return "revoked";
  return key.is_live(now) ? "active" : "expired";
}

ordered_json key_json(const otp::ApiKey& key, TimePoint now) {
  ordered_json body{{"id", otp::api_key_id_text(key.id)},
                    {"name", key.name},
                    {"application", key.application},
                    {"scopes", key.scopes.names()},
                    {"source", "created"},
                    {"status", key_status(key, now)},
                    {"created_at", rfc3339(key.created_at)}};
  const auto add = [&](const char* name, TimePoint at) {
    if (at != TimePoint()) body[name] = rfc3339(at);
  };
  add("rotated_at", key.rotated_at);
  if (key.is_live(now) && now < key.replaced_until) add("overlap_ends_at", key.replaced_until);
  add("expires_at", key.expires_at);
  add("last_used_at", key.last_used_at);
  add("revoked_at", key.revoked_at);
  return body;
}

// Of a key in the configuration, which has no record and no end.
ordered_json configured_key_json(const KnownKey& key, const otp::Applications& applications) {
  return {{"name", key.name},
          {"application", key.application.empty() ? applications.base : key.application},
          {"scopes", key.scopes.names()},
          {"source", "configuration"},
          {"status", "active"}};
}

net::HttpResponse no_such_key() {
  return to_response(
      {.name = ProblemName::not_found, .detail = "There is no such API key, or no longer."});
}

// "scopes", a list of some of them; all but admin if it is not there.
otp::Scopes read_scopes(Members& members) {
  const auto names = members.texts("scopes", otp::k_scope_names.size(), k_max_scope_name);
  if (!names) return otp::k_usual_scopes;
  otp::Scopes scopes;
  for (const std::string& name : *names) {
    const auto scope = otp::parse_scope(name);
    if (!scope) {
      members.refuse(ProblemName::invalid_request, "scopes",
                     "A scope is one of send, verify, sessions, factors and admin.");
      return {};
    }
    scopes.bits |= otp::Scopes{*scope}.bits;
  }
  return scopes;
}

Checked<otp::NewApiKey> read_new_key(const Service& service, const Call& call) {
  const auto object = read_json(call.request);
  if (!object) return std::unexpected(object.error());
  const otp::Applications& applications = service.key_book.applications();
  Members members(*object);
  otp::NewApiKey request;
  request.name = members.text("name", k_max_key_name).value_or("");
  request.application = members.text("application", k_max_key_name).value_or(applications.base);
  request.scopes = read_scopes(members);
  if (const auto seconds = members.integer("expires_in", 1, k_max_key_life_s)) {
    request.expires_in = Seconds(*seconds);
  }
  if (!is_key_name(request.name)) {
    members.refuse(ProblemName::invalid_request, "name",
                   "\"name\" must be a to z, 0 to 9, _ and -, beginning with a letter.");
  }
  if (!applications.contains(request.application)) {
    members.refuse(ProblemName::invalid_request, "application", "There is no such application.");
  }
  if (request.scopes.has(otp::Scope::admin) && request.application != applications.base) {
    members.refuse(ProblemName::invalid_request, "scopes",
                   "Only keys of the application " + applications.base + " can be for admin.");
  }
  if (auto problem = members.finish()) return std::unexpected(std::move(*problem));
  request.client_ip = call.client_ip;
  return request;
}

struct KeyAnswer {
  TimePoint now;
  int status;

  net::HttpResponse operator()(const otp::IssuedKey& issued) const {
    ordered_json body = key_json(issued.key, now);
    body["secret"] = issued.secret.reveal();
    auto response = json_response(body, status);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
  }
  net::HttpResponse operator()(const otp::KeyNameTaken&) const {
    return to_response({.name = ProblemName::name_taken,
                        .detail = "A live API key of this application has this name.",
                        .member = "name"});
  }
  net::HttpResponse operator()(const otp::TooManyKeys&) const {
    return to_response({.name = ProblemName::too_many_keys,
                        .detail = "There are 1000 live API keys; revoke one first."});
  }
  net::HttpResponse operator()(const otp::NoSuchKey&) const { return no_such_key(); }
};

// The secret is told even if this process learns of it a moment later.
Task<net::HttpResponse> answer_key(const Service& service, Result<otp::KeyOutcome> outcome,
                                   int status) {
  if (!outcome) co_return to_response(problem_of(outcome.error()));
  (void)co_await refresh(service.key_book, service.api_keys);
  co_return std::visit(KeyAnswer{service.clock.now(), status}, *outcome);
}

}  // namespace

Task<net::HttpResponse> list_api_keys(const Service& service, const Call&) {
  const auto loaded = co_await service.api_keys.load();
  if (!loaded) co_return to_response(problem_of(loaded.error()));
  ordered_json list = ordered_json::array();
  for (const otp::ApiKey& key : loaded->keys) list.push_back(key_json(key, service.clock.now()));
  for (const KnownKey& key : service.access.configured_keys()) {
    list.push_back(configured_key_json(key, service.key_book.applications()));
  }
  co_return json_response({{"keys", std::move(list)}});
}

Task<net::HttpResponse> create_api_key(const Service& service, const Call& call) {
  auto request = read_new_key(service, call);
  if (!request) co_return to_response(request.error());
  co_return co_await answer_key(service, co_await service.api_keys.create(std::move(*request)),
                                201);
}

Task<net::HttpResponse> rotate_api_key(const Service& service, const Call& call) {
  const auto id = otp::parse_api_key_id(call.params[0]);
  auto object = call.request.body.empty() ? Checked<nlohmann::json>(nlohmann::json::object())
                                          : read_json(call.request);
  if (!object) co_return to_response(object.error());
  Members members(*object);
  const auto overlap = members.integer("overlap", 0, k_max_overlap_s).value_or(k_usual_overlap_s);
  if (const auto problem = members.finish()) co_return to_response(*problem);
  if (!id) co_return no_such_key();
  co_return co_await answer_key(
      service, co_await service.api_keys.rotate(*id, Seconds(overlap), call.client_ip), 200);
}

Task<net::HttpResponse> revoke_api_key(const Service& service, const Call& call) {
  if (const auto problem = refuse_body(call.request)) co_return to_response(*problem);
  const auto id = otp::parse_api_key_id(call.params[0]);
  if (!id) co_return no_such_key();
  const auto revoked = co_await service.api_keys.revoke(*id, call.client_ip);
  if (!revoked) co_return to_response(problem_of(revoked.error()));
  if (!*revoked) co_return no_such_key();
  // A yes means that it opens nothing here any more.
  const auto fresh = co_await refresh(service.key_book, service.api_keys);
  if (!fresh) co_return to_response(problem_of(fresh.error()));
  co_return json_response(key_json(**revoked, service.clock.now()));
}

}  // namespace otpd::gateway
