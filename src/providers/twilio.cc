#include "providers/twilio.h"

#include <algorithm>
#include <array>

#include "net/form.h"
#include "providers/callback_body.h"
#include "providers/json_body.h"
#include "providers/outcomes.h"
#include "providers/twilio_receipts.h"
#include "providers/twilio_voice.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::int64_t k_max_validity_seconds = 36'000;  // Twilio's limit of ValidityPeriod
constexpr std::size_t k_max_sid_bytes = 64;

// Errors that belong to the recipient (https://www.twilio.com/docs/api/errors). For messages: 21211
// no valid number, 21265 a short code, 21266 our own, 21408 region not enabled, 21610 unsubscribed,
// 21612 not reachable from this sender, 21614 no mobile number, 21635 a landline. For calls: 13227
// and 21215 region not enabled, 21214 not reachable, 21216 not allowed, 21217 no valid number. For
// WhatsApp: 63003 and 63024 not there.
constexpr std::array k_recipient_errors = {13227, 21211, 21214, 21215, 21216, 21217, 21265, 21266,
                                           21408, 21610, 21612, 21614, 21635, 63003, 63024};

constexpr int k_authentication_error = 20003;

struct TwilioBody {
  std::string sid;
  int code = 0;  // Twilio's error code, or 0
};

TwilioBody read_twilio(std::string_view body) {
  const nlohmann::json answer = read_json(body);
  if (!answer.is_object()) return {};
  TwilioBody out;
  if (member(answer, "sid").is_string()) out.sid = plain_text(member(answer, "sid"));
  const auto& code = member(answer, "code");
  if (code.is_number_unsigned() && code < 1'000'000) out.code = code.get<int>();
  return out;
}

bool is_sid(std::string_view text) {
  return is_token(text, k_max_sid_bytes);
}

Kind kind_of_refusal(int status, int code) {
  const bool recipient = std::ranges::find(k_recipient_errors, code) != k_recipient_errors.end();
  if (code == k_authentication_error || status == 401) return Kind::misconfigured;
  const bool refusal = status >= 400 && status < 500 && status != 429 && status != 408;
  return refusal && recipient ? Kind::rejected : kind_of_http(status);
}

class Twilio final : public delivery::Provider {
 public:
  Twilio(TwilioConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)),
        account_url_(config_.base_url + "/2010-04-01/Accounts/" +
                     net::percent_encode(config_.account_sid)),
        receipts_(make_twilio_receipts(config_.auth_token.clone())),
        client_(client),
        clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    const bool voice = message.channel == "voice";
    if (!voice && message.channel != "sms" && message.channel != "whatsapp") {
      co_return refused(Kind::misconfigured, "channel");
    }
    // A messaging service sends messages only.
    if (voice && config_.from.empty()) co_return refused(Kind::misconfigured, "from");
    const bool by_key = !config_.api_key_sid.empty();
    const Secret form = voice ? call_form(message) : message_form(message);
    net::HttpCall call;
    call.url = account_url_ + (voice ? "/Calls.json" : "/Messages.json");
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Accept", "application/json"}};
    call.user = by_key ? config_.api_key_sid : config_.account_sid;
    call.password = (by_key ? config_.api_key_secret : config_.auth_token).reveal();
    call.body = form.reveal();
    co_return co_await hand_over(client_, call, timeout, [this](const net::HttpAnswer& answer) {
      return classify_twilio(answer.status, answer.headers, answer.body, clock_.now());
    });
  }

  const delivery::ReceiptReader* receipts() const override { return receipts_.get(); }

 private:
  Secret message_form(const delivery::Message& message) const {
    const std::string prefix = message.channel == "whatsapp" ? "whatsapp:" : "";
    const bool by_service = config_.from.empty();
    const Secret to(prefix + std::string(message.to.reveal()));
    const std::string sender = by_service ? config_.messaging_service_sid : prefix + config_.from;
    const auto seconds = std::chrono::floor<Seconds>(message.valid_for).count();
    const std::string validity =
        std::to_string(std::clamp<std::int64_t>(seconds, 1, k_max_validity_seconds));
    return form_with_callback(message, {{"To", to.reveal()},
                                        {by_service ? "MessagingServiceSid" : "From", sender},
                                        {"Body", message.text.reveal()},
                                        {"ValidityPeriod", validity}});
  }

  Secret call_form(const delivery::Message& message) const {
    const Secret twiml = make_twiml(message.locale, message.text.reveal());
    const std::string limit = std::to_string(k_call_limit.count());
    return form_with_callback(message, {{"To", message.to.reveal()},
                                        {"From", config_.from},
                                        {"Twiml", twiml.reveal()},
                                        {"TimeLimit", limit}});
  }

  static Secret form_with_callback(
      const delivery::Message& message,
      std::vector<std::pair<std::string_view, std::string_view>> fields) {
    if (!message.callback_url.empty()) fields.emplace_back("StatusCallback", message.callback_url);
    return net::form_encode(fields);
  }

  const TwilioConfig config_;
  const std::string account_url_;
  const std::unique_ptr<delivery::ReceiptReader> receipts_;
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
  return with_wait(std::move(out), headers, now);
}

Result<std::unique_ptr<delivery::Provider>> make_twilio(TwilioConfig config, net::Client& client,
                                                        const Clock& clock) {
  if (auto ok = trim_base_url("twilio", config.base_url); !ok) return std::unexpected(ok.error());
  if (!is_sid(config.account_sid)) return fail(Failure::invalid, "twilio: account_sid: no sid");
  if (config.auth_token.empty()) return fail(Failure::invalid, "twilio: auth_token: missing");
  if (config.api_key_sid.empty() != config.api_key_secret.empty()) {
    return fail(Failure::invalid,
                "twilio: give both of api_key_sid and api_key_secret, or neither");
  }
  if (config.from.empty() == config.messaging_service_sid.empty()) {
    return fail(Failure::invalid, "twilio: give one of from and messaging_service_sid");
  }
  return std::make_unique<Twilio>(std::move(config), client, clock);
}

}  // namespace otpd::providers
