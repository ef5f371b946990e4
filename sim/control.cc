#include "control.h"

#include <algorithm>
#include <charconv>

#include "base/rfc3339.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_default_limit = 100;
constexpr std::size_t k_max_limit = 10'000;
constexpr std::string_view k_faults_prefix = "/faults/";

net::HttpResponse fresh_json(int status, const Json& json) {
  net::HttpResponse response = json_response(status, json);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

net::HttpResponse done() {
  net::HttpResponse response;
  response.status = 204;
  return response;
}

Json inbox_entry(const Message& message) {
  Json json = {{"id", message.id},
               {"to", message.to},
               {"from", message.from},
               {"channel", message.channel},
               {"face", name_of(message.face)},
               {"text", message.text},
               {"received_at", rfc3339(message.received_at)}};
  if (message.channel == "email") json["subject"] = message.subject;
  return json;
}

Json counts_json(const InboxStats& stats) {
  return {{"accepted", stats.accepted},
          {"duplicates", stats.duplicates},
          {"rejected", stats.rejected},
          {"lost", stats.lost},
          {"receipts_delivered", stats.receipts_delivered},
          {"receipts_failed", stats.receipts_failed}};
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

bool reads(const net::HttpRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}
bool writes(const net::HttpRequest& request) {
  return request.method == "POST" || request.method == "PUT";
}

// The carriers whose codes are words; all others have numbers.
bool has_word_codes(Face face) {
  return face == Face::sns || face == Face::generic;
}

bool fits(const FaultPlan& plan, Face face) {
  return has_word_codes(face) || std::all_of(plan.code.begin(), plan.code.end(),
                                             [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool Control::owns(std::string_view path) {
  return path == "/inbox.json" || path == "/stats.json" || path == "/faults" ||
         path == "/faults.json" || path.starts_with(k_faults_prefix);
}

net::HttpResponse Control::refuse(int status, std::string_view why) {
  return fresh_json(status, {{"error", why}});
}

net::HttpResponse Control::handle(const net::HttpRequest& request) {
  const std::string_view path = request.path;
  if (path == "/inbox.json" && (reads(request) || request.method == "DELETE")) {
    return inbox(request);
  }
  if (path == "/stats.json" && reads(request)) return stats();
  if (path == "/faults.json" && reads(request)) return all_faults();
  if (path == "/faults") return common_faults(request);
  if (path.starts_with(k_faults_prefix)) {
    return face_faults(request, path.substr(k_faults_prefix.size()));
  }
  return refuse(405, "not with this method");
}

net::HttpResponse Control::inbox(const net::HttpRequest& request) {
  if (request.method == "DELETE") {
    inbox_.clear();
    return done();
  }
  InboxQuery query;
  if (!parse_query(request.query, query)) return refuse(400, "limit and after are numbers");
  const std::uint64_t epoch = inbox_.epoch();
  Json list = Json::array();
  for (const Message& message : inbox_.find(query)) list.push_back(inbox_entry(message));
  net::HttpResponse response = fresh_json(200, list);
  response.headers.emplace_back("X-Inbox-Epoch", std::to_string(epoch));
  return response;
}

net::HttpResponse Control::stats() const {
  Json json = counts_json(inbox_.stats());
  Json& faces = json["faces"] = Json::object();
  for (std::size_t i = 0; i < k_faces; ++i) {
    faces[std::string(k_face_names[i])] = counts_json(inbox_.stats(static_cast<Face>(i)));
  }
  return fresh_json(200, json);
}

net::HttpResponse Control::all_faults() const {
  Json json = Json::object();
  for (std::size_t i = 0; i < k_faces; ++i) {
    json[std::string(k_face_names[i])] =
        Json::parse(faults_to_json(*faults_.of(static_cast<Face>(i)).plan()));
  }
  return fresh_json(200, json);
}

net::HttpResponse Control::common_faults(const net::HttpRequest& request) {
  if (request.method == "DELETE") {
    faults_.set_all({}, clock_.now());
    return done();
  }
  if (!reads(request) && !writes(request)) return refuse(405, "not with this method");
  if (writes(request)) {
    const auto plan = parse_faults(request.body);
    if (!plan) return refuse(400, plan.error().message);
    if (!plan->code.empty()) return refuse(400, "bad value: code (it belongs to one face)");
    faults_.set_all(*plan, clock_.now());
  }
  return fresh_json(200, Json::parse(faults_to_json(faults_.common())));
}

net::HttpResponse Control::face_faults(const net::HttpRequest& request, std::string_view name) {
  const auto face = face_named(name);
  if (!face) return refuse(404, "no such face");
  Faults& faults = faults_.of(*face);
  if (request.method == "DELETE") {
    faults.set({}, clock_.now());
    return done();
  }
  if (!reads(request) && !writes(request)) return refuse(405, "not with this method");
  if (writes(request)) {
    auto plan = parse_faults(request.body);
    if (!plan) return refuse(400, plan.error().message);
    if (!fits(*plan, *face)) return refuse(400, "bad value: code (a number for this face)");
    faults.set(std::move(*plan), clock_.now());
  }
  return fresh_json(200, Json::parse(faults_to_json(*faults.plan())));
}

}  // namespace otpd::sim
