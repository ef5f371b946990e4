#include "providers/twilio.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "net/form.h"
#include "providers/outcomes.h"
#include "providers/retry_after.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::int64_t k_max_validity_seconds = 36'000;  // Twilio's limit of ValidityPeriod
constexpr std::size_t k_max_sid_bytes = 64;

// Errors that belong to the recipient: 21211 no valid number, 21408 region not enabled, 21610
// unsubscribed, 21612 not reachable from this sender, 21614 no mobile number.
constexpr std::array k_recipient_errors = {21211, 21408, 21610, 21612, 21614};
constexpr int k_authentication_error = 20003;

struct TwilioBody {
  std::string sid;
  int code = 0;  // Twilio's error code, or 0
};

// Takes the two members that matter from an answer of many, without building a tree of it.
class TwilioReader final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit TwilioReader(TwilioBody& out) : out_(out) {}

  bool key(string_t& name) override {
    name_ = depth_ == 1 ? std::move(name) : string_t();
    if (name_ == "sid") out_.sid.clear();  // of two, the last counts
    if (name_ == "code") out_.code = 0;
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ == 1 && name_ == "sid") out_.sid = std::move(value);
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ == 1 && name_ == "code" && value < 1'000'000) out_.code = static_cast<int>(value);
    return true;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool enter() {
    ++depth_;
    name_.clear();
    return true;
  }
  bool leave() {
    --depth_;
    name_.clear();
    return true;
  }

  TwilioBody& out_;
  std::string name_;  // of the member whose value comes next, if it is one of the answer itself
  int depth_ = 0;
};

TwilioBody read_twilio(std::string_view body) {
  TwilioBody out;
  TwilioReader reader(out);
  return nlohmann::json::sax_parse(body, &reader) ? out : TwilioBody{};
}

bool is_sid(std::string_view text) {
  return !text.empty() && text.size() <= k_max_sid_bytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

Kind kind_of_refusal(int status, int code) {
  if (status == 429) return Kind::throttled;
  if (status >= 500 || status == 408 || status < 400) return Kind::transient;
  if (status == 401 || code == k_authentication_error) return Kind::misconfigured;
  if (std::ranges::find(k_recipient_errors, code) != k_recipient_errors.end()) {
    return Kind::rejected;
  }
  return Kind::misconfigured;
}

class Twilio final : public delivery::Provider {
 public:
  Twilio(TwilioConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)),
        url_(config_.base_url + "/2010-04-01/Accounts/" + net::percent_encode(config_.account_sid) +
             "/Messages.json"),
        client_(client),
        clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "sms" && message.channel != "whatsapp") {
      co_return refused(Kind::misconfigured, "channel");
    }
    const Secret form = make_form(message);
    net::HttpCall call;
    call.url = url_;
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Accept", "application/json"}};
    call.user = config_.api_key_sid.empty() ? config_.account_sid : config_.api_key_sid;
    call.password = config_.auth_token.reveal();
    call.body = form.reveal();
    call.connect_timeout = std::min(call.connect_timeout, timeout);
    call.timeout = timeout;
    const auto answer = co_await client_.http(call);
    if (!answer) co_return no_answer(answer.error());
    co_return classify_twilio(answer->status, answer->headers, answer->body, clock_.now());
  }

 private:
  Secret make_form(const delivery::Message& message) const {
    const std::string prefix = message.channel == "whatsapp" ? "whatsapp:" : "";
    const bool by_service = config_.from.empty();
    const Secret to(prefix + std::string(message.to.reveal()));
    const std::string sender = by_service ? config_.messaging_service_sid : prefix + config_.from;
    const auto seconds = std::chrono::floor<Seconds>(message.valid_for).count();
    const std::string validity =
        std::to_string(std::clamp<std::int64_t>(seconds, 1, k_max_validity_seconds));
    const std::string_view sender_name = by_service ? "MessagingServiceSid" : "From";
    if (config_.status_callback.empty()) {
      return net::form_encode({{"To", to.reveal()},
                               {sender_name, sender},
                               {"Body", message.text.reveal()},
                               {"ValidityPeriod", validity}});
    }
    return net::form_encode({{"To", to.reveal()},
                             {sender_name, sender},
                             {"Body", message.text.reveal()},
                             {"ValidityPeriod", validity},
                             {"StatusCallback", config_.status_callback}});
  }

  const TwilioConfig config_;
  const std::string url_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

Outcome classify_twilio(int status, const net::Headers& headers, std::string_view body,
                        TimePoint now) {
  const TwilioBody read = read_twilio(body);
  const bool success = status >= 200 && status < 300;
  if (success && is_sid(read.sid)) return accepted(read.sid);
  Outcome out = refused(kind_of_refusal(status, read.code), {});
  out.reason = success          ? "no sid"
               : read.code != 0 ? std::to_string(read.code)
                                : "http " + std::to_string(status);
  if (out.kind == Kind::throttled || out.kind == Kind::transient) {
    out.retry_after = retry_after(headers, now);
  }
  return out;
}

Result<std::unique_ptr<delivery::Provider>> make_twilio(TwilioConfig config, net::Client& client,
                                                        const Clock& clock) {
  while (config.base_url.ends_with('/')) config.base_url.pop_back();
  if (!config.base_url.starts_with("https://") && !config.base_url.starts_with("http://")) {
    return fail(Failure::invalid, "twilio: base_url: not an http or https URL");
  }
  if (!is_sid(config.account_sid)) return fail(Failure::invalid, "twilio: account_sid: no sid");
  if (config.auth_token.empty()) return fail(Failure::invalid, "twilio: auth_token: missing");
  if (config.from.empty() == config.messaging_service_sid.empty()) {
    return fail(Failure::invalid, "twilio: give one of from and messaging_service_sid");
  }
  return std::make_unique<Twilio>(std::move(config), client, clock);
}

}  // namespace otpd::providers
