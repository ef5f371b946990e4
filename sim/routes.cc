#include "routes.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "text_codec.h"
#include "web_files.h"

namespace otpd::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_default_limit = 100;
constexpr std::size_t k_max_limit = 10'000;

net::HttpResponse plain_json(int status, const Json& json) {
  net::HttpResponse response;
  response.status = status;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::HttpResponse refuse(int status, std::string_view why) {
  return plain_json(status, {{"error", why}});
}

Json to_json(const Message& message) {
  Json json = {{"id", message.id},     {"to", message.to},
               {"from", message.from}, {"channel", message.channel},
               {"text", message.text}, {"received_at", rfc3339(message.received_at)}};
  if (message.channel == "email") json["subject"] = message.subject;
  return json;
}

std::optional<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = ec == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

// False if a parameter cannot be used.
bool parse_query(std::string_view text, InboxQuery& query) {
  query.limit = k_default_limit;
  for (auto& [name, value] : parse_form(text)) {
    if (name == "to") {
      // "?to=+1415" written without escaping means the same number.
      if (value.starts_with(' ')) value[0] = '+';
      query.to = std::move(value);
    } else if (name == "limit" || name == "after") {
      const auto number = parse_number(value);
      if (!number) return false;
      if (name == "limit") query.limit = std::min<std::uint64_t>(*number, k_max_limit);
      if (name == "after") query.after = number;
    }
  }
  return true;
}

const WebFile* find_web_file(std::string_view path) {
  const auto files = web_files();
  const auto it = std::find_if(files.begin(), files.end(),
                               [&](const WebFile& file) { return file.path == path; });
  return it == files.end() ? nullptr : &*it;
}

net::HttpResponse serve(const WebFile& file) {
  net::HttpResponse response;
  response.content_type = file.content_type;
  response.body = file.bytes;
  response.headers = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
       "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-cache"}};
  return response;
}

}  // namespace

Routes::Routes(TwilioAccount account, Inbox& inbox, Faults& faults, const Clock& clock)
    : twilio_(std::move(account), inbox, faults, clock), inbox_(inbox), faults_(faults) {}

Task<net::HttpResponse> Routes::handle(net::HttpRequest request) {
  if (TwilioFace::owns(request.path)) co_return co_await twilio_.handle(request);
  co_return answer(request);
}

net::HttpResponse Routes::error_page(int status, std::string_view reason) {
  return refuse(status, reason);
}

net::HttpResponse Routes::answer(const net::HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (request.path == "/inbox.json" && (reads || request.method == "DELETE")) {
    return inbox(request);
  }
  if (request.path == "/faults" && (reads || request.method == "POST")) return faults(request);
  if (request.path == "/stats.json" && reads) return stats();
  const WebFile* file = find_web_file(request.path);
  if (file != nullptr && reads) return serve(*file);
  const bool known = file != nullptr || request.path == "/inbox.json" ||
                     request.path == "/faults" || request.path == "/stats.json";
  return known ? refuse(405, "not with this method") : refuse(404, "nothing here");
}

net::HttpResponse Routes::inbox(const net::HttpRequest& request) {
  if (request.method == "DELETE") {
    inbox_.clear();
    net::HttpResponse done;
    done.status = 204;
    return done;
  }
  InboxQuery query;
  if (!parse_query(request.query, query)) return refuse(400, "limit and after are numbers");
  const std::uint64_t epoch = inbox_.epoch();
  Json list = Json::array();
  for (const Message& message : inbox_.find(query)) list.push_back(to_json(message));
  net::HttpResponse response = plain_json(200, list);
  response.headers.emplace_back("X-Inbox-Epoch", std::to_string(epoch));
  return response;
}

net::HttpResponse Routes::faults(const net::HttpRequest& request) {
  if (request.method == "POST") {
    auto plan = parse_faults(request.body);
    if (!plan) return refuse(400, plan.error().message);
    faults_.set(std::move(*plan));
  }
  net::HttpResponse response;
  response.body = faults_to_json(*faults_.plan());
  return response;
}

net::HttpResponse Routes::stats() const {
  const InboxStats stats = inbox_.stats();
  return plain_json(200, {{"accepted", stats.accepted},
                          {"duplicates", stats.duplicates},
                          {"rejected", stats.rejected}});
}

}  // namespace otpd::sim
