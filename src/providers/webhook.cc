#include "providers/webhook.h"

#include "base/rfc3339.h"
#include "crypto/standard_webhooks.h"
#include "providers/callback_body.h"
#include "providers/json_body.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using delivery::Receipt;
using Kind = delivery::Outcome::Kind;
using State = delivery::Receipt::State;

constexpr std::size_t k_max_webhook_id_bytes = 128;
constexpr std::size_t k_max_webhook_reason_bytes = 64;
constexpr std::string_view k_webhook_id_signs = "-_.:=+/";

class WebhookReceipts final : public delivery::ReceiptReader {
 public:
  explicit WebhookReceipts(crypto::WebhookKeys keys) : keys_(std::move(keys)) {}

  Result<std::vector<Receipt>> read(const delivery::CallbackRequest& callback,
                                    TimePoint now) const override {
    const crypto::WebhookHeaders headers{only_header(callback, "webhook-id"),
                                         only_header(callback, "webhook-timestamp"),
                                         only_header(callback, "webhook-signature")};
    if (callback.method != "POST" || !has_media_type(callback, "application/json")) {
      return unbelievable("not JSON");
    }
    if (!keys_.verify(headers, callback.body, now)) return unbelievable("the signature is wrong");
    return receipt_in(read_json(callback.body));
  }

  const crypto::WebhookKeys& keys() const { return keys_; }

 private:
  static Result<std::vector<Receipt>> receipt_in(const nlohmann::json& said) {
    const std::string type = plain_text(member(said, "type"));
    std::string id = plain_text(member(member(said, "data"), "id"));
    if (!is_token(id, k_max_webhook_id_bytes, k_webhook_id_signs)) return unbelievable("no id");
    Receipt receipt{.state = State::on_its_way, .message_id = std::move(id), .reason = {}};
    if (type == "otp.delivered") receipt.state = State::delivered;
    if (type == "otp.failed") {
      receipt.state = State::failed;
      const std::string reason = plain_text(member(member(said, "data"), "reason"));
      receipt.reason = is_token(reason, k_max_webhook_reason_bytes, "-_. ") ? reason : "failed";
    }
    return std::vector{std::move(receipt)};
  }

  const crypto::WebhookKeys keys_;
};

class Webhook final : public delivery::Provider {
 public:
  Webhook(std::string url, crypto::WebhookKeys keys, net::Client& client, const Clock& clock)
      : url_(std::move(url)), receipts_(std::move(keys)), client_(client), clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    const TimePoint now = clock_.now();
    const Secret body = make_body(message, now);
    const std::string id = "msg_" + message.job_id;
    net::HttpCall call;
    call.url = url_;
    call.headers = {{"Content-Type", "application/json"},
                    {"webhook-id", id},
                    {"webhook-timestamp", crypto::webhook_timestamp(now)},
                    {"webhook-signature", receipts_.keys().sign(id, now, body.reveal())}};
    call.body = body.reveal();
    co_return co_await hand_over(client_, call, timeout, [&](const net::HttpAnswer& answer) {
      return classify_webhook(answer, message.job_id, clock_.now());
    });
  }

  const delivery::ReceiptReader* receipts() const override { return &receipts_; }

 private:
  static Secret make_body(const delivery::Message& message, TimePoint now) {
    const auto seconds = std::chrono::floor<Seconds>(message.valid_for).count();
    const std::pair<const char*, std::string_view> members[] = {
        {"job_id", message.job_id},      {"channel", message.channel},
        {"to", message.to.reveal()},     {"subject", message.subject},
        {"text", message.text.reveal()}, {"code", message.code.reveal()},
        {"purpose", message.purpose},    {"locale", message.locale},
        {"country", message.country},    {"callback_url", message.callback_url}};
    std::string out = R"({"type":"otp.message","timestamp":")" + rfc3339(now) + R"(","data":{)";
    std::size_t bound = out.size() + 64;
    for (const auto& [name, value] : members) bound += 6 * value.size() + 32;
    out.reserve(bound);  // growing would leave copies behind
    for (const auto& [name, value] : members) {
      Secret escaped(json_escape(value));
      out.append("\"").append(name).append("\":\"").append(escaped.reveal()).append("\",");
    }
    out.append(R"("expires_in_s":)").append(std::to_string(std::max<std::int64_t>(0, seconds)));
    out.append("}}");
    return Secret(std::move(out));
  }

  const std::string url_;
  const WebhookReceipts receipts_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

Outcome classify_webhook(const net::HttpAnswer& answer, const std::string& job_id, TimePoint now) {
  if (answer.status >= 200 && answer.status < 300) {
    const std::string id = plain_text(member(read_json(answer.body), "id"));
    const bool named = is_token(id, k_max_webhook_id_bytes, k_webhook_id_signs);
    return accepted(named ? id : job_id);
  }
  const Kind kind = answer.status == 422 ? Kind::rejected : kind_of_http(answer.status);
  return with_wait(refused(kind, "http " + std::to_string(answer.status)), answer.headers, now);
}

Result<std::unique_ptr<delivery::Provider>> make_webhook(WebhookConfig config, net::Client& client,
                                                         const Clock& clock) {
  if (!config.url.starts_with("https://") && !config.url.starts_with("http://")) {
    return fail(Failure::invalid, "webhook: url: not an http or https URL");
  }
  auto keys = crypto::WebhookKeys::make(config.secrets.reveal());
  if (!keys) return fail(Failure::invalid, "webhook: secrets: " + keys.error().message);
  return std::make_unique<Webhook>(std::move(config.url), std::move(*keys), client, clock);
}

}  // namespace otpd::providers
