#include "providers/sns.h"

#include <algorithm>
#include <array>

#include "net/form.h"
#include "providers/callback_body.h"
#include "providers/outcomes.h"
#include "providers/xml_text.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::size_t k_max_sns_id_bytes = 100;
constexpr std::size_t k_max_sns_code_bytes = 64;
constexpr std::size_t k_max_sns_message_bytes = 1'024;

constexpr std::array<std::string_view, 6> k_sns_throttled = {
    "Throttling",         "ThrottlingException",  "Throttled",
    "ThrottledException", "RequestLimitExceeded", "TooManyRequestsException"};
constexpr std::array<std::string_view, 4> k_sns_transient = {
    "InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable"};

Kind kind_of_sns(int status, std::string_view code, std::string_view body) {
  if (std::ranges::find(k_sns_throttled, code) != k_sns_throttled.end() || status == 429) {
    return Kind::throttled;
  }
  const bool transient = std::ranges::find(k_sns_transient, code) != k_sns_transient.end();
  if (transient || status >= 500) return Kind::transient;
  if (code == "OptedOut") return Kind::rejected;
  // "Invalid parameter: PhoneNumber Reason: …": of the parameters only it is the recipient's.
  const std::string_view message = xml_element(body, "Message", k_max_sns_message_bytes);
  const bool number = code.starts_with("InvalidParameter") && message.contains("PhoneNumber");
  return number ? Kind::rejected : kind_of_http(status);
}

using SnsFields = std::vector<std::pair<std::string, std::string_view>>;

void add_sns_attribute(SnsFields& fields, int number, const char* name, std::string_view value) {
  const std::string entry = "MessageAttributes.entry." + std::to_string(number) + ".";
  fields.emplace_back(entry + "Name", name);
  fields.emplace_back(entry + "Value.DataType", "String");
  fields.emplace_back(entry + "Value.StringValue", value);
}

class Sns final : public delivery::Provider {
 public:
  Sns(SnsConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)), client_(client), clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "sms") co_return refused(Kind::misconfigured, "channel");
    const Secret form = make_form(message);
    net::HttpCall call;
    call.url = config_.base_url + "/";
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    if (!config_.session_token.empty()) {
      call.headers.emplace_back("X-Amz-Security-Token", config_.session_token.reveal());
    }
    call.user = config_.access_key_id;
    call.password = config_.secret_access_key.reveal();
    call.sigv4 = "aws:amz:" + config_.region + ":sns";
    call.body = form.reveal();
    co_return co_await hand_over(client_, call, timeout, [this](const net::HttpAnswer& answer) {
      return classify_sns(answer.status, answer.headers, answer.body, clock_.now());
    });
  }

 private:
  Secret make_form(const delivery::Message& message) const {
    SnsFields fields = {{"Action", "Publish"},
                        {"Version", "2010-03-31"},
                        {"PhoneNumber", message.to.reveal()},
                        {"Message", message.text.reveal()}};
    int number = 1;
    add_sns_attribute(fields, number, "AWS.SNS.SMS.SMSType",
                      config_.promotional ? "Promotional" : "Transactional");
    if (!config_.sender_id.empty()) {
      add_sns_attribute(fields, ++number, "AWS.SNS.SMS.SenderID", config_.sender_id);
    }
    if (!config_.origination_number.empty()) {
      add_sns_attribute(fields, ++number, "AWS.MM.SMS.OriginationNumber",
                        config_.origination_number);
    }
    const std::vector<std::pair<std::string_view, std::string_view>> views(fields.begin(),
                                                                           fields.end());
    return net::form_encode(views);
  }

  const SnsConfig config_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

Outcome classify_sns(int status, const net::Headers& headers, std::string_view body,
                     TimePoint now) {
  if (status >= 200 && status < 300) {
    const std::string_view id = xml_element(body, "MessageId", k_max_sns_id_bytes);
    return is_token(id, k_max_sns_id_bytes, "-") ? accepted(std::string(id))
                                                 : refused(Kind::transient, "no MessageId");
  }
  const std::string_view code = xml_element(body, "Code", k_max_sns_code_bytes);
  const bool known = is_token(code, k_max_sns_code_bytes, ".");
  Outcome out = refused(kind_of_sns(status, code, body),
                        known ? std::string(code) : "http " + std::to_string(status));
  return with_wait(std::move(out), headers, now);
}

Result<std::unique_ptr<delivery::Provider>> make_sns(SnsConfig config, net::Client& client,
                                                     const Clock& clock) {
  if (!is_token(config.region, 32, "-")) return fail(Failure::invalid, "sns: region: missing");
  if (config.base_url.empty()) config.base_url = "https://sns." + config.region + ".amazonaws.com";
  if (auto ok = trim_base_url("sns", config.base_url); !ok) return std::unexpected(ok.error());
  if (config.access_key_id.empty()) return fail(Failure::invalid, "sns: access_key_id: missing");
  if (config.secret_access_key.empty()) {
    return fail(Failure::invalid, "sns: secret_access_key: missing");
  }
  return std::make_unique<Sns>(std::move(config), client, clock);
}

}  // namespace otpd::providers
