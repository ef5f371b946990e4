// Webhooks: the parts that tell the applications' endpoints what happens to codes, put together.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "app/config.h"
#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/queue.h"
#include "delivery/webhook_outbox.h"
#include "delivery/webhook_senders.h"

namespace otpd::app {

// All outlive the webhooks; `loop` is the courier's.
struct WebhooksPorts {
  boost::asio::io_context& loop;
  otp::Store& store;
  delivery::Queue& queue;
  const Clock& clock;
  Random& random;
  const crypto::KeyRing& keys;
  Metrics& metrics;
};

class Webhooks {
 public:
  ~Webhooks();
  Webhooks(const Webhooks&) = delete;
  Webhooks& operator=(const Webhooks&) = delete;

  // Null if no application has an endpoint. Failure::invalid if the secrets of one cannot be used.
  static Result<std::unique_ptr<Webhooks>> make(const Config& config, WebhooksPorts ports);

  // Reads which endpoints are disabled or fail, which another process may have noticed, and tells
  // the outbox how much waits; again and again, without end.
  Task<void> run();

  // The store that everything is to be written through.
  otp::Store& store() { return *outbox_; }
  // Where the events of an application go; the base one's name is empty. Null: nowhere.
  delivery::WebhookEndpoint* endpoint_of(std::string_view application);
  delivery::WebhookSenders& senders() { return *senders_; }

 private:
  struct One;
  explicit Webhooks(WebhooksPorts ports);
  // The parts of an application's own endpoint.
  Result<void> add(const Config& config, const std::string& application);
  void share(const Config& config);
  void connect(const Config& config);

  WebhooksPorts ports_;
  std::map<std::string, std::shared_ptr<One>, std::less<>> by_application_;
  std::unique_ptr<delivery::WebhookOutbox> outbox_;
  std::unique_ptr<delivery::WebhookSenders> senders_;
};

}  // namespace otpd::app
