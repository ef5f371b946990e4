#include "generic_face.h"

#include <array>
#include <string_view>

#include "signatures.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_text_bytes = 4096;

net::HttpResponse generic_error(int status, std::string_view code, std::string_view message) {
  return json_response(status, {{"error", {{"code", code}, {"message", message}}}});
}

MakePost generic_receipt(const std::string& url, const std::string& id, const std::string& secret) {
  if (url.empty()) return {};
  return [=](ReceiptState state) {
    constexpr std::array<std::string_view, 3> k_words = {"sent", "delivered", "failed"};
    const std::string body =
        dump({{"id", id}, {"status", k_words[static_cast<std::size_t>(state)]}});
    return ReceiptPost{.url = url,
                       .headers = {{"Content-Type", "application/json"},
                                   {"X-Signature", body_signature(secret, body)}},
                       .body = body};
  };
}

}  // namespace

net::HttpResponse GenericFace::error(const FaultPlan& plan) const {
  return generic_error(plan.status.value_or(503), plan.code.empty() ? "unavailable" : plan.code,
                       "simulated fault");
}

net::HttpResponse GenericFace::throttled(const FaultPlan&) const {
  return generic_error(429, "throttled", "too fast");
}

Reply GenericFace::take(const net::HttpRequest& request, const FaultPlan& plan,
                        TimePoint now) const {
  if (!account_.token.empty() && bearer_of(request) != account_.token) {
    return {generic_error(401, "unauthorized", "the bearer token is missing or wrong")};
  }
  if (request.method != "POST") return {generic_error(405, "method", "only POST")};
  const Json json = parse_object(request.body);
  if (!json.is_object()) return {generic_error(400, "invalid_json", "not a JSON object")};
  const std::string to = text_member(json, "to");
  const std::string text = text_member(json, "text");
  const std::string channel = text_member(json, "channel");
  if (to.empty()) return {generic_error(400, "invalid_to", "to is missing")};
  if (plan.reject_to.contains(to)) {
    return {generic_error(422, "rejected", "this recipient is refused for good")};
  }
  if (text.empty() || text.size() > k_max_text_bytes) {
    return {generic_error(400, "invalid_text", "text is missing or too long")};
  }
  const std::string id = random_hex(12);
  return {.response = json_response(202, {{"id", id}, {"status", "accepted"}}),
          .message = Message{.to = to,
                             .from = text_member(json, "from"),
                             .channel = channel.empty() ? "sms" : channel,
                             .text = text,
                             .received_at = now,
                             .face = face()},
          .receipt = generic_receipt(text_member(json, "callback_url"), id, account_.secret)};
}

}  // namespace otpd::sim
