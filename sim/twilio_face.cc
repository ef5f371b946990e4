#include "twilio_face.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>

#include "base/encoding.h"
#include "base/random.h"
#include "text_codec.h"

namespace otpd::sim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_max_body_characters = 1600;

net::HttpResponse json_response(int status, const Json& json) {
  net::HttpResponse response;
  response.status = status;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return response;
}

net::HttpResponse error(int status, int code, std::string_view message) {
  return json_response(status,
                       {{"code", code},
                        {"message", message},
                        {"more_info", fmt::format("https://www.twilio.com/docs/errors/{}", code)},
                        {"status", status}});
}

// Not for secrets: an identifier that looks like Twilio's.
std::string make_sid(std::string_view prefix) {
  thread_local SeededRandom random((std::uint64_t{std::random_device{}()} << 32) ^
                                   std::random_device{}());
  return std::string(prefix) + hex_encode(random.bytes(16));
}

bool is_e164(std::string_view number) {
  return number.size() >= 8 && number.size() <= 16 && number[0] == '+' && number[1] != '0' &&
         std::all_of(number.begin() + 1, number.end(), [](char c) { return c >= '0' && c <= '9'; });
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

std::string field(const Form& form, std::string_view name) {
  const std::string* value = find_field(form, name);
  return value == nullptr ? std::string() : *value;
}

Json message_json(const TwilioAccount& account, const Form& form, TimePoint now) {
  const std::string sid = make_sid("SM");
  const std::string uri = "/2010-04-01/Accounts/" + account.sid + "/Messages/" + sid;
  const std::string date = fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                                       fmt::gmtime(std::chrono::floor<std::chrono::seconds>(now)));
  const std::string service = field(form, "MessagingServiceSid");
  const std::string from = field(form, "From");
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
          {"from", from.empty() ? Json() : Json(from)},
          {"messaging_service_sid", service.empty() ? Json() : Json(service)},
          {"num_media", "0"},
          {"num_segments", std::to_string(count_segments(body))},
          {"price", nullptr},
          {"price_unit", "USD"},
          {"sid", sid},
          {"status", service.empty() ? "queued" : "accepted"},
          {"subresource_uris", {{"media", uri + "/Media.json"}}},
          {"to", field(form, "To")},
          {"uri", uri + ".json"}};
}

}  // namespace

TwilioFace::TwilioFace(TwilioAccount account, Inbox& inbox, Faults& faults, const Clock& clock)
    : account_(std::move(account)), inbox_(inbox), faults_(faults), clock_(clock) {}

bool TwilioFace::authorized(const net::HttpRequest& request) const {
  const std::string_view header = net::find_header(request.headers, "Authorization");
  return header.starts_with("Basic ") &&
         base64_decode(header.substr(6)) == account_.sid + ":" + account_.auth_token;
}

Task<net::HttpResponse> TwilioFace::handle(const net::HttpRequest& request) {
  co_await faults_.delay();
  const std::shared_ptr<const FaultPlan> plan = faults_.plan();
  if (faults_.strikes(plan->error_rate)) {
    const int code = plan->status == 429 ? 20429 : plan->status >= 500 ? 20503 : 20001;
    net::HttpResponse fault = error(plan->status, code, "simulated fault");
    if (plan->retry_after > 0) {
      fault.headers.emplace_back("Retry-After", std::to_string(plan->retry_after));
    }
    inbox_.count_rejected();
    co_return fault;
  }
  net::HttpResponse response = send(request);
  if (response.status != 201) inbox_.count_rejected();
  if (response.status == 201 && faults_.strikes(plan->drop_rate)) response.status = 0;
  co_return response;
}

net::HttpResponse TwilioFace::send(const net::HttpRequest& request) {
  if (!authorized(request)) return error(401, 20003, "Authenticate");
  if (request.path != "/2010-04-01/Accounts/" + account_.sid + "/Messages.json") {
    return error(404, 20404, "The requested resource " + request.path + " was not found");
  }
  if (request.method != "POST") return error(405, 20004, "Method not allowed");
  const Form form = parse_form(request.body);
  const std::string to = field(form, "To");
  const std::string body = field(form, "Body");
  if (to.empty()) return error(400, 21604, "A 'To' phone number is required.");
  if (!is_e164(to) || faults_.plan()->reject_to.contains(to)) {
    return error(400, 21211, "The 'To' number " + to + " is not a valid phone number.");
  }
  for (const MagicNumber& magic : k_magic_numbers) {
    if (to == magic.to) return error(400, magic.code, magic.message);
  }
  if (field(form, "From").empty() && field(form, "MessagingServiceSid").empty()) {
    return error(400, 21603, "A 'From' phone number is required.");
  }
  if (body.empty()) return error(400, 21602, "Message body is required.");
  if (count_characters(body) > k_max_body_characters) {
    return error(400, 21617, "The concatenated message body exceeds the 1600 character limit.");
  }
  const TimePoint now = clock_.now();
  const Json json = message_json(account_, form, now);
  const std::string service = field(form, "MessagingServiceSid");
  inbox_.add({.id = 0,
              .to = to,
              .from = service.empty() ? field(form, "From") : service,
              .channel = "sms",
              .subject = "",
              .text = body,
              .received_at = now});
  return json_response(201, json);
}

}  // namespace otpd::sim
