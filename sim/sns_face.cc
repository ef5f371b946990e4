#include "sns_face.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_message_bytes = 1600;
constexpr std::string_view k_namespace = "http://sns.amazonaws.com/doc/2010-03-31/";

// Eight, four, four, four and twelve hexadecimal digits.
std::string uuid_like() {
  const std::string hex = random_hex(16);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20));
}

net::HttpResponse xml_response(int status, std::string body) {
  net::HttpResponse response;
  response.status = status;
  response.content_type = "text/xml";
  response.body = std::move(body);
  return response;
}

net::HttpResponse sns_error(int status, std::string_view code, std::string_view message) {
  return xml_response(
      status,
      fmt::format("<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{}</Type>\n"
                  "    <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n"
                  "  <RequestId>{}</RequestId>\n</ErrorResponse>\n",
                  k_namespace, status < 500 ? "Sender" : "Receiver", code, message, uuid_like()));
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t end = text.find(at);
    pieces.push_back(text.substr(0, end));
    if (end == text.npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

// The value of `name=` in "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
std::string_view part_of(std::string_view header, std::string_view name) {
  const std::size_t at = header.find(name);
  if (at == header.npos) return {};
  const std::string_view rest = header.substr(at + name.size());
  return rest.substr(0, rest.find_first_of(", "));
}

// Why the request is not signed for us, or a default response.
std::optional<net::HttpResponse> unsigned_reason(const net::HttpRequest& request) {
  const std::string_view header = net::find_header(request.headers, "Authorization");
  if (header.empty()) {
    return sns_error(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
  }
  const auto scope = split(part_of(header, "Credential="), '/');
  const std::string_view signature = part_of(header, "Signature=");
  const bool is_whole = header.starts_with("AWS4-HMAC-SHA256 ") && scope.size() == 5 &&
                        !scope[0].empty() && scope[1].size() == 8 && !scope[2].empty() &&
                        scope[4] == "aws4_request" && signature.size() == 64 &&
                        hex_decode(signature).has_value() &&
                        part_of(header, "SignedHeaders=").contains("host") &&
                        !net::find_header(request.headers, "X-Amz-Date").empty();
  if (!is_whole) {
    return sns_error(400, "IncompleteSignature",
                     "The request signature does not conform to AWS "
                     "standards");
  }
  if (scope[3] != "sns") {
    return sns_error(403, "SignatureDoesNotMatch",
                     "Credential should be scoped to correct "
                     "service: 'sns'.");
  }
  return std::nullopt;
}

// The string of the message attribute of that name.
std::string attribute(const Form& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (!key.starts_with("MessageAttributes.entry.") || !key.ends_with(".Name")) continue;
    if (value != name) continue;
    return field(form, key.substr(0, key.size() - 4) + "Value.StringValue");
  }
  return {};
}

}  // namespace

bool SnsFace::owns(const net::HttpRequest& request) const {
  if (request.path == "/sns" || request.path == "/sns/") return true;
  return request.path == "/" && request.method == "POST" && request.body.contains("Action=");
}

net::HttpResponse SnsFace::error(const FaultPlan& plan) const {
  const int status = plan.status.value_or(500);
  const std::string_view usual = status < 500 ? "InvalidParameter" : "InternalError";
  return sns_error(status, plan.code.empty() ? usual : plan.code, "simulated fault");
}

net::HttpResponse SnsFace::throttled(const FaultPlan&) const {
  return sns_error(400, "Throttling", "Rate exceeded");
}

Reply SnsFace::take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const {
  if (request.method != "POST") return {sns_error(405, "InvalidAction", "only POST")};
  if (auto reason = unsigned_reason(request)) return {std::move(*reason)};
  const Form form = parse_form(request.body);
  if (field(form, "Action") != "Publish") {
    return {sns_error(400, "InvalidAction", "Could not find this operation")};
  }
  const std::string to = field(form, "PhoneNumber");
  const std::string text = field(form, "Message");
  if (!is_e164(to)) {
    return {sns_error(400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: not valid")};
  }
  if (plan.reject_to.contains(to)) {
    return {sns_error(400, "OptedOut", "Phone number is opted out")};
  }
  if (text.empty() || text.size() > k_max_message_bytes) {
    return {sns_error(400, "InvalidParameter",
                      "Invalid parameter: Message Reason: empty or too "
                      "long")};
  }
  const std::string sender = attribute(form, "AWS.SNS.SMS.SenderID");
  const std::string number = attribute(form, "AWS.MM.SMS.OriginationNumber");
  return {.response =
              xml_response(200, fmt::format("<PublishResponse xmlns=\"{}\">\n  <PublishResult>\n"
                                            "    <MessageId>{}</MessageId>\n  </PublishResult>\n"
                                            "  <ResponseMetadata>\n    <RequestId>{}</RequestId>\n"
                                            "  </ResponseMetadata>\n</PublishResponse>\n",
                                            k_namespace, uuid_like(), uuid_like())),
          .message = Message{.to = to,
                             .from = !sender.empty()   ? sender
                                     : !number.empty() ? number
                                                       : "NOTICE",
                             .channel = "sms",
                             .text = text,
                             .received_at = now,
                             .face = face()}};
}

}  // namespace otpd::sim
