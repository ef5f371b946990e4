#include "whatsapp_face.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "signatures.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_text_bytes = 4096;
constexpr std::string_view k_business_id = "102290129340398";

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The phone number's id in /v{NN.N}/{id}/messages, or empty.
std::string_view phone_id_in(std::string_view path) {
  constexpr std::string_view k_tail = "/messages";
  if (!path.starts_with("/v") || !path.ends_with(k_tail)) return {};
  path.remove_prefix(2);
  path.remove_suffix(k_tail.size());
  const std::size_t slash = path.find('/');
  if (slash == path.npos) return {};
  const std::string_view version = path.substr(0, slash);
  const std::size_t dot = version.find('.');
  if (dot == version.npos || !all_digits(version.substr(0, dot)) ||
      !all_digits(version.substr(dot + 1))) {
    return {};
  }
  const std::string_view id = path.substr(slash + 1);
  return all_digits(id) ? id : std::string_view();
}

net::HttpResponse graph_error(int status, int code, std::string_view title,
                              std::string_view details) {
  return json_response(status,
                       {{"error",
                         {{"message", "(#" + std::to_string(code) + ") " + std::string(title)},
                          {"type", "OAuthException"},
                          {"code", code},
                          {"error_data", {{"messaging_product", "whatsapp"}, {"details", details}}},
                          {"fbtrace_id", random_hex(12)}}}});
}

// "body: 123456" on a line of its own, or nothing.
std::string component_line(const Json& component) {
  std::string line;
  const Json parameters = member(component, "parameters");
  if (!parameters.is_array()) return line;
  for (const Json& parameter : parameters) {
    std::string text = text_member(parameter, text_member(parameter, "type"));
    if (text.empty()) text = text_member(parameter, "text");
    if (!text.empty()) line += (line.empty() ? "" : ", ") + text;
  }
  return line.empty() ? line : "\n" + text_member(component, "type") + ": " + line;
}

// What the inbox shows of a message; empty if it cannot be sent.
std::string shown(const Json& message) {
  const std::string type = text_member(message, "type");
  if (type.empty() || type == "text") return text_member(member(message, "text"), "body");
  const Json content = member(message, "template");
  const std::string name = text_member(content, "name");
  const std::string language = text_member(member(content, "language"), "code");
  if (type != "template" || name.empty() || language.empty()) return {};
  std::string text = name + " (" + language + ")";
  const Json components = member(content, "components");
  if (!components.is_array()) return text;
  for (const Json& component : components) text += component_line(component);
  return text;
}

}  // namespace

bool WhatsappFace::owns(const net::HttpRequest& request) const {
  return !phone_id_in(request.path).empty();
}

net::HttpResponse WhatsappFace::error(const FaultPlan& plan) const {
  return graph_error(plan.status.value_or(500), code_or(plan, 131000), "Something went wrong",
                     "simulated fault");
}

net::HttpResponse WhatsappFace::throttled(const FaultPlan&) const {
  return graph_error(429, 130429, "Rate limit hit",
                     "Message failed to send because there were too many messages sent from this "
                     "phone number in a short period of time");
}

MakePost WhatsappFace::receipt(const std::string& phone_id, const std::string& to,
                               const std::string& id, TimePoint now) const {
  if (account_.callback_url.empty()) return {};
  return [=, url = account_.callback_url, secret = account_.app_secret,
          time = unix_seconds(now)](ReceiptState state) {
    constexpr std::array<std::string_view, 3> k_words = {"sent", "delivered", "failed"};
    Json status = {{"id", id},
                   {"status", k_words[static_cast<std::size_t>(state)]},
                   {"timestamp", time},
                   {"recipient_id", to}};
    if (state == ReceiptState::failed) {
      status["errors"] = Json::array({{{"code", 131026}, {"title", "Message undeliverable"}}});
    }
    const Json value = {
        {"messaging_product", "whatsapp"},
        {"metadata", {{"display_phone_number", "15550100000"}, {"phone_number_id", phone_id}}},
        {"statuses", Json::array({status})}};
    const Json change = {{"value", value}, {"field", "messages"}};
    const Json entry = {{"id", k_business_id}, {"changes", Json::array({change})}};
    const std::string body =
        dump({{"object", "whatsapp_business_account"}, {"entry", Json::array({entry})}});
    return ReceiptPost{.url = url,
                       .headers = {{"Content-Type", "application/json"},
                                   {"X-Hub-Signature-256", body_signature(secret, body)}},
                       .body = body};
  };
}

Reply WhatsappFace::take(const net::HttpRequest& request, const FaultPlan& plan,
                         TimePoint now) const {
  if (bearer_of(request) != account_.token) {
    return {graph_error(401, 190, "Access token is not valid", "Invalid OAuth access token")};
  }
  if (request.method != "POST") {
    return {graph_error(400, 100, "Unsupported request", "only POST")};
  }
  const Json message = parse_object(request.body);
  std::string to = text_member(message, "to");
  if (to.starts_with('+')) to.erase(0, 1);
  if (text_member(message, "messaging_product") != "whatsapp" || !is_e164(with_plus(to))) {
    return {graph_error(400, 100, "Invalid parameter",
                        "messaging_product is whatsapp, and to is "
                        "a phone number")};
  }
  if (plan.reject_to.contains(with_plus(to)) || plan.reject_to.contains(to)) {
    return {graph_error(400, 131026, "Message undeliverable", "Message Undeliverable.")};
  }
  const std::string text = shown(message);
  if (text.empty() || text.size() > k_max_text_bytes) {
    return {graph_error(400, 131008, "Required parameter is missing",
                        "a template with its language, or a text")};
  }
  const std::string id = "wamid." + random_hex(24);
  const std::string phone_id(phone_id_in(request.path));
  return {.response = json_response(
              200, {{"messaging_product", "whatsapp"},
                    {"contacts", Json::array({{{"input", to}, {"wa_id", to}}})},
                    {"messages", Json::array({{{"id", id}, {"message_status", "accepted"}}})}}),
          .message = Message{.to = with_plus(to),
                             .from = phone_id,
                             .channel = "whatsapp",
                             .text = text,
                             .received_at = now,
                             .face = face()},
          .receipt = receipt(phone_id, to, id, now)};
}

}  // namespace otpd::sim
