#include "twilio_face.h"

#include <fmt/format.h>

#include <array>
#include <map>

#include "net/form.h"
#include "signatures.h"
#include "wire.h"

namespace otpd::sim {
namespace {

constexpr std::size_t k_max_body_characters = 1600;
constexpr std::string_view k_root = "/2010-04-01/";

net::HttpResponse twilio_error(int status, int code, std::string_view message) {
  return json_response(status,
                       {{"code", code},
                        {"message", message},
                        {"more_info", fmt::format("https://www.twilio.com/docs/errors/{}", code)},
                        {"status", status}});
}

struct MagicNumber {
  std::string_view to;
  int code;
  std::string_view message;
};

// https://www.twilio.com/docs/iam/test-credentials
constexpr std::array k_magic_numbers = {
    MagicNumber{"+15005550001", 21211, "The 'To' number +15005550001 is not a valid phone number."},
    MagicNumber{"+15005550002", 21612, "The 'To' phone number cannot receive SMS messages."},
    MagicNumber{"+15005550003", 21408,
                "Permission to send an SMS has not been enabled for the region indicated by the "
                "'To' number."},
    MagicNumber{"+15005550004", 21610, "Attempt to send to unsubscribed recipient"},
    MagicNumber{"+15005550009", 21614, "'To' number is not a valid mobile number"},
};

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

std::string rfc2822(TimePoint now) {
  return utc(now, "{:%a, %d %b %Y %H:%M:%S} +0000");
}

Json message_json(const TwilioAccount& account, const Form& form, const std::string& sid,
                  const std::string& path, TimePoint now) {
  const std::string date = rfc2822(now);
  const std::string service = field(form, "MessagingServiceSid");
  const std::string body = field(form, "Body");
  return {{"account_sid", account.sid},
          {"api_version", "2010-04-01"},
          {"body", body},
          {"date_created", date},
          {"date_sent", nullptr},
          {"date_updated", date},
          {"direction", "outbound-api"},
          {"error_code", nullptr},
          {"error_message", nullptr},
          {"from", or_null(field(form, "From"))},
          {"messaging_service_sid", or_null(service)},
          {"num_media", "0"},
          {"num_segments", std::to_string(count_segments(body))},
          {"price", nullptr},
          {"price_unit", "USD"},
          {"sid", sid},
          {"status", service.empty() ? "queued" : "accepted"},
          {"subresource_uris", {{"media", path + "/Media.json"}}},
          {"to", field(form, "To")},
          {"uri", path + ".json"}};
}

Json call_json(const TwilioAccount& account, const Form& form, const std::string& sid,
               const std::string& path, TimePoint now) {
  const std::string date = rfc2822(now);
  return {{"account_sid", account.sid}, {"answered_by", nullptr}, {"api_version", "2010-04-01"},
          {"date_created", date},       {"date_updated", date},   {"direction", "outbound-api"},
          {"duration", nullptr},        {"end_time", nullptr},    {"from", field(form, "From")},
          {"price", nullptr},           {"price_unit", "USD"},    {"sid", sid},
          {"start_time", nullptr},      {"status", "queued"},     {"to", field(form, "To")},
          {"uri", path + ".json"}};
}

}  // namespace

net::HttpResponse TwilioFace::error(const FaultPlan& plan) const {
  const int status = plan.status.value_or(503);
  const int usual = status == 429 ? 20429 : status >= 500 ? 20503 : 20001;
  return twilio_error(status, code_or(plan, usual), "simulated fault");
}

net::HttpResponse TwilioFace::throttled(const FaultPlan&) const {
  return twilio_error(429, 20429, "Too Many Requests");
}

std::string TwilioFace::path_of(std::string_view sid) const {
  return fmt::format("{}Accounts/{}/{}/{}", k_root, account_.sid, resource(), sid);
}

Reply TwilioFace::take(const net::HttpRequest& request, const FaultPlan& plan,
                       TimePoint now) const {
  if (basic_of(request) != account_.sid + ":" + account_.auth_token) {
    return {twilio_error(401, 20003, "Authenticate")};
  }
  if (request.path != fmt::format("{}Accounts/{}/{}.json", k_root, account_.sid, resource())) {
    return {twilio_error(404, 20404, "The requested resource " + request.path + " was not found")};
  }
  if (request.method != "POST") return {twilio_error(405, 20004, "Method not allowed")};
  const Form form = parse_form(request.body);
  const std::string to = field(form, "To");
  if (to.empty()) return {twilio_error(400, 21604, "A 'To' phone number is required.")};
  if (!is_e164(to) || plan.reject_to.contains(to)) {
    return {twilio_error(400, 21211, "The 'To' number " + to + " is not a valid phone number.")};
  }
  for (const MagicNumber& magic : k_magic_numbers) {
    if (to == magic.to) return {twilio_error(400, magic.code, magic.message)};
  }
  return accept(form, now);
}

MakePost TwilioFace::receipt(const Form& form, std::string sid, std::string prefix,
                             std::array<std::string_view, 3> words, std::string error_code) const {
  const std::string url = field(form, "StatusCallback");
  if (url.empty()) return {};
  std::map<std::string, std::string> common = {{"AccountSid", account_.sid},
                                               {"ApiVersion", "2010-04-01"},
                                               {"From", field(form, "From")},
                                               {"To", field(form, "To")},
                                               {prefix + "Sid", sid}};
  if (prefix == "Message") common.emplace("SmsSid", sid);
  return [=, token = account_.auth_token](ReceiptState state) {
    std::map<std::string, std::string> fields = common;
    const std::string word(words[static_cast<std::size_t>(state)]);
    fields[prefix + "Status"] = word;
    if (prefix == "Message") fields["SmsStatus"] = word;
    if (state == ReceiptState::failed) fields["ErrorCode"] = error_code;
    ReceiptPost post{.url = url,
                     .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                                 {"X-Twilio-Signature", twilio_signature(token, url, fields)}},
                     .body = {}};
    for (const auto& [name, value] : fields) {
      post.body += post.body.empty() ? "" : "&";
      post.body += net::percent_encode(name) + "=" + net::percent_encode(value);
    }
    return post;
  };
}

bool TwilioMessages::owns(const net::HttpRequest& request) const {
  return request.path.starts_with(k_root) && !request.path.ends_with("/Calls.json");
}

Reply TwilioMessages::accept(const Form& form, TimePoint now) const {
  const std::string body = field(form, "Body");
  const std::string service = field(form, "MessagingServiceSid");
  if (field(form, "From").empty() && service.empty()) {
    return {twilio_error(400, 21603, "A 'From' phone number is required.")};
  }
  if (body.empty()) return {twilio_error(400, 21602, "Message body is required.")};
  if (count_characters(body) > k_max_body_characters) {
    return {twilio_error(400, 21617,
                         "The concatenated message body exceeds the 1600 character limit.")};
  }
  const std::string sid = "SM" + random_hex(16);
  return {.response = json_response(201, message_json(account_, form, sid, path_of(sid), now)),
          .message = Message{.to = field(form, "To"),
                             .from = service.empty() ? field(form, "From") : service,
                             .channel = "sms",
                             .text = body,
                             .received_at = now,
                             .face = face()},
          .receipt = receipt(form, sid, "Message", {"sent", "delivered", "undelivered"}, "30003")};
}

bool TwilioVoice::owns(const net::HttpRequest& request) const {
  return request.path.starts_with(k_root) && request.path.ends_with("/Calls.json");
}

Reply TwilioVoice::accept(const Form& form, TimePoint now) const {
  const std::string twiml = field(form, "Twiml");
  if (field(form, "From").empty()) {
    return {twilio_error(400, 21213, "'From' is required to create a call.")};
  }
  if (twiml.empty()) {
    return {twilio_error(400, 21205, "Url parameter is required; this simulator wants Twiml.")};
  }
  const std::string words = said_by(twiml);
  if (words.empty()) return {twilio_error(400, 12100, "Document parse failure: nothing to say")};
  const std::string sid = "CA" + random_hex(16);
  return {.response = json_response(201, call_json(account_, form, sid, path_of(sid), now)),
          .message = Message{.to = field(form, "To"),
                             .from = field(form, "From"),
                             .channel = "voice",
                             .text = words,
                             .received_at = now,
                             .face = face()},
          .receipt = receipt(form, sid, "Call", {"ringing", "completed", "no-answer"}, "30003")};
}

}  // namespace otpd::sim
