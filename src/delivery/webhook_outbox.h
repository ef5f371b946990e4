// WebhookOutbox: a store that writes, in the same atomic step as every audit line that its
// application wants to hear of, one job for that application's endpoint. (A crash leaves both or
// neither.)
//
// Such a job has the endpoint's record as its key (otp::is_webhook_key), where a message has its
// recipient's: that is how the courier tells them apart without opening them. Its id is the audit
// line's UUID, so that a line that is written twice makes one job. What it carries is a sealed
// otp::WebhookPayload: never an address, never a code.
#pragma once

#include <atomic>
#include <set>
#include <string>

#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/webhook_endpoint.h"

namespace otpd::delivery {

// How long a job lives: longer than the schedule of its tries (webhook_schedule.h), so that a
// webhook that was given up can be sent again by hand. `expires_at` minus this is when the event
// happened.
inline constexpr Millis k_webhook_life = std::chrono::hours(24 * 5);

// The event types that can be subscribed to: "otp.sent", "otp.delivered", …
bool is_webhook_type(std::string_view type);

// The name under which customers know an audit line's type, or empty if it is not for them.
std::string_view webhook_type_of(std::string_view event_type);

// The body: {"type", "timestamp", "data": {verification_id, user_id, purpose, application, country,
// provider, reason}}, without members that are empty. Under 20 kB, whatever the event holds.
std::string webhook_body(const audit::Event& event);

// What one application wants to hear of, and where.
struct WebhookSubscription {
  const WebhookEndpoint& endpoint;
  std::set<std::string, std::less<>> types;
};
// By application, the base one under the empty name. Of one that is not here, nobody hears.
using WebhookSubscriptions = std::map<std::string, WebhookSubscription, std::less<>>;

struct WebhookOutboxConfig {
  // While more jobs than this wait in the queue, no webhook of a failing endpoint enters it, and
  // none at all while it is twice as many: an endpoint that is down for days must leave room for
  // messages, and for other endpoints.
  std::uint64_t max_waiting = 100'000;
};

// All outlive the outbox.
struct WebhookOutboxPorts {
  otp::Store& behind;
  Random& random;
  const crypto::KeyRing& keys;
  Metrics& metrics;
};

// Nothing is added for an endpoint that is disabled. Safe from any thread if the store behind is.
class WebhookOutbox final : public otp::Store {
 public:
  // The endpoints outlive the outbox.
  WebhookOutbox(WebhookOutboxPorts ports, WebhookSubscriptions subscriptions,
                WebhookOutboxConfig config = {});

  // How many jobs wait, as seen last.
  void set_waiting(std::uint64_t jobs) { waiting_.store(jobs, std::memory_order_relaxed); }

  Task<Result<otp::Record>> load(otp::Key key) override;
  std::optional<otp::Record> recall(const otp::Key& key) override;
  Task<Result<otp::CommitResult>> commit(otp::Key key, std::uint64_t expected, std::string bytes,
                                         TimePoint expires_at, otp::Effects effects) override;
  Task<Result<void>> append(otp::Effects effects) override;
  Task<Result<void>> ping() override;

 private:
  void add_webhooks(otp::Effects& effects);
  bool has_room(const WebhookEndpoint& endpoint) const;

  WebhookOutboxPorts ports_;
  const WebhookSubscriptions subscriptions_;
  const WebhookOutboxConfig config_;
  Counter dropped_;
  std::atomic<std::uint64_t> waiting_{0};
};

}  // namespace otpd::delivery
