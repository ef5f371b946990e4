// WebhookEndpoint: an application's URL for events, as all processes know it: whether it answers,
// and whether it is switched off: by its own 410 or not at all, and on again by an operator.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "otp/store.h"
#include "otp/webhook_state.h"

namespace otpd::delivery {

// All outlive the endpoint.
struct WebhookEndpointPorts {
  otp::Store& store;
  const Clock& clock;
  Random& random;
};

// What it has in memory is what it read or wrote last. Safe from any thread.
class WebhookEndpoint {
 public:
  // `key` is a webhook_key of `url`, which must not hold a secret: operators see it.
  WebhookEndpoint(WebhookEndpointPorts ports, otp::Key key, std::string url)
      : ports_(ports), key_(std::move(key)), url_(std::move(url)) {}

  // Reads what is stored. Failures: as the store, then what was known stays (at first: enabled).
  Task<Result<void>> load();

  // Writes the switch with its audit line, if it changes anything. Failures: as the store.
  // `reason` is from a fixed set.
  Task<Result<void>> disable(std::string reason);
  Task<Result<void>> enable(std::string client_ip);

  // Writes whether tries fail, if it changes anything. Failures: as the store.
  Task<Result<void>> set_failing(bool failing);

  bool disabled() const { return since_ms_.load(std::memory_order_relaxed) != 0; }
  bool failing() const { return failing_.load(std::memory_order_relaxed); }
  std::optional<TimePoint> disabled_since() const;
  const otp::Key& key() const { return key_; }
  const std::string& url() const { return url_; }

 private:
  Task<Result<void>> switch_to(bool disabled, std::string_view type, std::string client_ip,
                               std::string detail);
  void remember(const otp::WebhookEndpointState& state);

  WebhookEndpointPorts ports_;
  const otp::Key key_;
  const std::string url_;
  std::atomic<std::int64_t> since_ms_{0};  // Unix time; 0: enabled
  std::atomic<bool> failing_{false};
};

}  // namespace otpd::delivery
