#include "delivery/webhook_outbox.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/encoding.h"
#include "base/rfc3339.h"
#include "crypto/seal.h"

namespace otpd::delivery {
namespace {

namespace type = audit::event_type;

struct WebhookName {
  std::string_view event_type;
  std::string_view name;
};

constexpr WebhookName k_webhook_names[] = {
    {type::k_sent, "otp.sent"},
    {type::k_delivered, "otp.delivered"},
    {type::k_delivery_failed, "otp.failed"},
    {type::k_verify_success, "otp.verified"},
    {type::k_exhausted, "otp.exhausted"},
    {type::k_expired, "otp.expired"},
    {type::k_canceled, "otp.canceled"},
};

// Every byte may take six when it is escaped; six members stay far below 20 kB.
constexpr std::size_t k_max_member_bytes = 256;

// The 16 bytes of the UUID that names an audit line; empty if it is none.
std::string job_id_of(std::string uuid) {
  std::erase(uuid, '-');
  return hex_decode(uuid).value_or("");
}

}  // namespace

bool is_webhook_type(std::string_view name) {
  return std::ranges::find(k_webhook_names, name, &WebhookName::name) != std::end(k_webhook_names);
}

std::string_view webhook_type_of(std::string_view event_type) {
  const auto* found = std::ranges::find(k_webhook_names, event_type, &WebhookName::event_type);
  return found == std::end(k_webhook_names) ? std::string_view() : found->name;
}

std::string webhook_body(const audit::Event& event) {
  nlohmann::ordered_json data = nlohmann::ordered_json::object();
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) data[name] = value.substr(0, k_max_member_bytes);
  };
  add("verification_id", event.verification_id);
  add("user_id", event.user_id);
  add("purpose", event.purpose);
  add("application", event.application);
  add("country", event.country);
  add("provider", event.provider);
  // The detail of other types is the carrier's name of the message, or nothing.
  if (event.event_type == type::k_delivery_failed) add("reason", event.detail);
  const nlohmann::ordered_json body{{"type", webhook_type_of(event.event_type)},
                                    {"timestamp", rfc3339(event.created_at)},
                                    {"data", std::move(data)}};
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

WebhookOutbox::WebhookOutbox(WebhookOutboxPorts ports, WebhookSubscriptions subscriptions,
                             WebhookOutboxConfig config)
    : ports_(ports),
      subscriptions_(std::move(subscriptions)),
      config_(config),
      dropped_(ports.metrics.counter("otpd_webhooks_dropped_total",
                                     "Webhooks that were not queued because too much waits.")) {}

bool WebhookOutbox::has_room(const WebhookEndpoint& endpoint) const {
  const std::uint64_t most = endpoint.failing() ? config_.max_waiting : 2 * config_.max_waiting;
  return waiting_.load(std::memory_order_relaxed) <= most;
}

void WebhookOutbox::add_webhooks(otp::Effects& effects) {
  for (const audit::Event& event : effects.events) {
    const std::string_view name = webhook_type_of(event.event_type);
    const auto found = subscriptions_.find(event.application);
    if (name.empty() || found == subscriptions_.end()) continue;
    const auto& [endpoint, types] = found->second;
    if (endpoint.disabled() || !types.contains(name)) continue;
    if (!has_room(endpoint)) {
      dropped_.add();
      continue;
    }
    std::string id = job_id_of(event.id);
    if (id.empty()) continue;
    const std::string plain =
        otp::encode(otp::WebhookPayload{event.id, webhook_body(event), event.application});
    std::string sealed = crypto::seal(ports_.keys, ports_.random, plain, id);
    effects.enqueue.push_back({std::move(id), endpoint.key(), event.created_at,
                               event.created_at + k_webhook_life, std::move(sealed)});
  }
}

Task<Result<otp::Record>> WebhookOutbox::load(otp::Key key) {
  return ports_.behind.load(std::move(key));
}

std::optional<otp::Record> WebhookOutbox::recall(const otp::Key& key) {
  return ports_.behind.recall(key);
}

Task<Result<otp::CommitResult>> WebhookOutbox::commit(otp::Key key, std::uint64_t expected,
                                                      std::string bytes, TimePoint expires_at,
                                                      otp::Effects effects) {
  add_webhooks(effects);
  return ports_.behind.commit(std::move(key), expected, std::move(bytes), expires_at,
                              std::move(effects));
}

Task<Result<void>> WebhookOutbox::append(otp::Effects effects) {
  add_webhooks(effects);
  return ports_.behind.append(std::move(effects));
}

Task<Result<void>> WebhookOutbox::ping() {
  return ports_.behind.ping();
}

}  // namespace otpd::delivery
