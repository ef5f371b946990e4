#include "providers/vonage.h"

#include <algorithm>

#include "net/form.h"
#include "providers/callback_body.h"
#include "providers/gsm_text.h"
#include "providers/json_body.h"
#include "providers/outcomes.h"

namespace otpd::providers {
namespace {

using delivery::Outcome;
using Kind = delivery::Outcome::Kind;

constexpr std::size_t k_max_vonage_id_bytes = 64;
// Vonage's bounds of `ttl`.
constexpr std::int64_t k_min_vonage_ttl_ms = 20'000;
constexpr std::int64_t k_max_vonage_ttl_ms = 604'800'000;

struct VonageStatus {
  std::string_view status;
  Kind kind;
};
// https://developer.vonage.com/en/api/sms, "error codes". 3 is an unusable parameter: of ours, only
// the recipient differs from message to message.
constexpr VonageStatus k_vonage_statuses[] = {
    {"1", Kind::throttled},      {"2", Kind::misconfigured},  {"3", Kind::rejected},
    {"4", Kind::misconfigured},  {"5", Kind::transient},      {"6", Kind::transient},
    {"7", Kind::rejected},       {"8", Kind::misconfigured},  {"9", Kind::misconfigured},
    {"10", Kind::transient},     {"11", Kind::misconfigured}, {"12", Kind::misconfigured},
    {"14", Kind::misconfigured}, {"15", Kind::misconfigured}, {"22", Kind::misconfigured},
    {"23", Kind::misconfigured}, {"29", Kind::misconfigured}, {"32", Kind::misconfigured},
    {"33", Kind::rejected},
};

Outcome vonage_refusal(std::string_view status) {
  const auto found = std::ranges::find(k_vonage_statuses, status, &VonageStatus::status);
  const bool known = found != std::end(k_vonage_statuses);
  return refused(known ? found->kind : Kind::transient,
                 known ? "vonage " + std::string(status) : "unknown status");
}

// Of an answer with HTTP 200.
Outcome vonage_verdict(std::string_view body) {
  const nlohmann::json answer = read_json(body);
  const auto& messages = member(answer, "messages");
  if (!messages.is_array() || messages.empty()) return refused(Kind::transient, "unusable answer");
  for (const auto& part : messages) {
    const std::string status = plain_text(member(part, "status"));
    if (status != "0") return vonage_refusal(status);
  }
  std::string id = plain_text(member(messages.front(), "message-id"));
  if (!is_token(id, k_max_vonage_id_bytes, "-_")) return refused(Kind::transient, "no message-id");
  return accepted(std::move(id));
}

class Vonage final : public delivery::Provider {
 public:
  Vonage(VonageConfig config, net::Client& client, const Clock& clock)
      : config_(std::move(config)),
        url_(config_.base_url + "/sms/json"),
        receipts_(config_.signature_secret.empty()
                      ? nullptr
                      : make_vonage_receipts(config_.signature_secret.clone(), config_.signature)),
        client_(client),
        clock_(clock) {}

  Task<Outcome> send(const delivery::Message& message, Millis timeout) override {
    if (message.channel != "sms") co_return refused(Kind::misconfigured, "channel");
    const Secret form = make_form(message);
    net::HttpCall call;
    call.url = url_;
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                    {"Accept", "application/json"}};
    call.body = form.reveal();
    co_return co_await hand_over(client_, call, timeout, [this](const net::HttpAnswer& answer) {
      return classify_vonage(answer.status, answer.headers, answer.body, clock_.now());
    });
  }

  const delivery::ReceiptReader* receipts() const override { return receipts_.get(); }

 private:
  Secret make_form(const delivery::Message& message) const {
    std::string_view to = message.to.reveal();
    if (to.starts_with('+')) to.remove_prefix(1);
    const std::string ttl = std::to_string(std::clamp<std::int64_t>(
        message.valid_for.count(), k_min_vonage_ttl_ms, k_max_vonage_ttl_ms));
    std::vector<std::pair<std::string_view, std::string_view>> fields = {
        {"api_key", config_.api_key},
        {"api_secret", config_.api_secret.reveal()},
        {"from", config_.from},
        {"to", to},
        {"text", message.text.reveal()},
        {"type", is_gsm_text(message.text.reveal()) ? "text" : "unicode"},
        {"ttl", ttl},
        {"client-ref", message.job_id}};
    if (!message.callback_url.empty()) fields.emplace_back("callback", message.callback_url);
    return net::form_encode(fields);
  }

  const VonageConfig config_;
  const std::string url_;
  const std::unique_ptr<delivery::ReceiptReader> receipts_;
  net::Client& client_;
  const Clock& clock_;
};

}  // namespace

Outcome classify_vonage(int status, const net::Headers& headers, std::string_view body,
                        TimePoint now) {
  Outcome out = status >= 200 && status < 300
                    ? vonage_verdict(body)
                    : refused(kind_of_http(status), "http " + std::to_string(status));
  return with_wait(std::move(out), headers, now);
}

Result<std::unique_ptr<delivery::Provider>> make_vonage(VonageConfig config, net::Client& client,
                                                        const Clock& clock) {
  if (auto ok = trim_base_url("vonage", config.base_url); !ok) return std::unexpected(ok.error());
  if (config.api_key.empty()) return fail(Failure::invalid, "vonage: api_key: missing");
  if (config.api_secret.empty()) return fail(Failure::invalid, "vonage: api_secret: missing");
  if (config.from.empty()) return fail(Failure::invalid, "vonage: from: missing");
  return std::make_unique<Vonage>(std::move(config), client, clock);
}

}  // namespace otpd::providers
