#include "vonage_face.h"

#include <algorithm>
#include <map>

#include "signatures.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_text_characters = 3200;

// The request's members, from JSON or a form; what stands in the query counts too.
Form members_of(const net::HttpRequest& request) {
  Form members = parse_form(request.query);
  const std::string_view type = net::find_header(request.headers, "Content-Type");
  if (!type.starts_with("application/json")) {
    for (auto& member : parse_form(request.body)) members.push_back(std::move(member));
    return members;
  }
  const Json json = parse_object(request.body);
  for (const auto& [name, value] : json.items())
    members.emplace_back(name, text_member(json, name));
  return members;
}

net::HttpResponse vonage_error(std::string_view to, std::string_view status,
                               std::string_view text) {
  Json message = {{"status", status}, {"error-text", text}};
  if (!to.empty()) message["to"] = to;
  return json_response(200, {{"message-count", "1"}, {"messages", Json::array({message})}});
}

Json sent_json(const std::string& to, const std::string& text, const std::string& id) {
  const std::size_t parts = count_segments(text);
  Json messages = Json::array();
  for (std::size_t i = 0; i < parts; ++i) {
    messages.push_back({{"to", to},
                        {"message-id", i == 0 ? id : random_hex(8)},
                        {"status", "0"},
                        {"remaining-balance", "100.00000000"},
                        {"message-price", "0.03330000"},
                        {"network", "12345"}});
  }
  return {{"message-count", std::to_string(parts)}, {"messages", messages}};
}

MakePost dlr(const VonageAccount& account, const Form& members, const std::string& id,
             TimePoint now) {
  std::map<std::string, std::string> common = {
      {"msisdn", field(members, "to")}, {"to", field(members, "from")},
      {"network-code", "12345"},        {"messageId", id},
      {"price", "0.03330000"},          {"scts", utc(now, "{:%y%m%d%H%M}")},
      {"api-key", account.key},         {"message-timestamp", utc(now, "{:%F %T}")}};
  const std::string reference = field(members, "client-ref");
  if (!reference.empty()) common.emplace("client-ref", reference);
  return [=, url = field(members, "callback"), secret = account.signature_secret,
          time = unix_seconds(now)](ReceiptState state) {
    std::map<std::string, std::string> dlr = common;
    const bool failed = state == ReceiptState::failed;
    dlr["status"] = failed ? "failed" : state == ReceiptState::delivered ? "delivered" : "buffered";
    dlr["err-code"] = failed ? "6" : "0";
    if (!secret.empty()) {
      dlr["timestamp"] = time;
      dlr["nonce"] = random_hex(16);
      dlr["sig"] = vonage_signature(secret, dlr);
    }
    return ReceiptPost{
        .url = url, .headers = {{"Content-Type", "application/json"}}, .body = dump(Json(dlr))};
  };
}

bool is_number(const std::string& to) {
  return to.size() >= 7 && to.size() <= 15 &&
         std::all_of(to.begin(), to.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

net::HttpResponse VonageFace::error(const FaultPlan& plan) const {
  if (!plan.status) {
    return vonage_error("", plan.code.empty() ? "5" : plan.code, "simulated fault");
  }
  return json_response(*plan.status, {{"error-code", std::to_string(*plan.status)},
                                      {"error-code-label", "simulated fault"}});
}

net::HttpResponse VonageFace::throttled(const FaultPlan&) const {
  return vonage_error("", "1", "Throughput Rate Exceeded - please wait [ 250 ] and retry");
}

Reply VonageFace::take(const net::HttpRequest& request, const FaultPlan& plan,
                       TimePoint now) const {
  if (request.method != "POST") {
    return {json_response(405, {{"error-code", "405"}, {"error-code-label", "only POST"}})};
  }
  const Form members = members_of(request);
  const std::string to = field(members, "to");
  const std::string from = field(members, "from");
  const std::string text = field(members, "text");
  const std::string given = field(members, "api_key") + ":" + field(members, "api_secret");
  const std::string wanted = account_.key + ":" + account_.secret;
  if (given != wanted && basic_of(request) != wanted) {
    return {vonage_error(to, "4", "Bad Credentials")};
  }
  for (const auto& [name, value] : {std::pair("to", to), {"from", from}, {"text", text}}) {
    if (value.empty()) {
      return {vonage_error(to, "2", std::string("Missing ") + name + " param")};
    }
  }
  if (!is_number(to)) return {vonage_error(to, "3", "Invalid value for parameter: to")};
  if (plan.reject_to.contains(to) || plan.reject_to.contains(with_plus(to))) {
    return {vonage_error(to, "7", "Number barred")};
  }
  if (count_characters(text) > k_max_text_characters) {
    return {vonage_error(to, "12", "The message is too long")};
  }
  const std::string id = random_hex(8);
  Reply reply{.response = json_response(200, sent_json(to, text, id)),
              .message = Message{.to = with_plus(to),
                                 .from = from,
                                 .channel = "sms",
                                 .text = text,
                                 .received_at = now,
                                 .face = face()}};
  if (!field(members, "callback").empty()) reply.receipt = dlr(account_, members, id, now);
  return reply;
}

}  // namespace otpd::sim
