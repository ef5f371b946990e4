// Webhooks: the parts that tell the customer's endpoint what happens to codes, put together.
#pragma once

#include <memory>

#include "app/config.h"
#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/queue.h"
#include "delivery/webhook_outbox.h"
#include "delivery/webhook_sender.h"
#include "net/client.h"
#include "providers/webhook_client.h"

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
  // Failure::invalid if the secrets cannot be used. `config.url` is not empty.
  static Result<std::unique_ptr<Webhooks>> make(const Config& config, WebhooksPorts ports);

  // Reads whether the endpoint is disabled, which another process may have done, and tells the
  // outbox how much waits; again and again, without end.
  Task<void> run();

  // The store that everything is to be written through.
  otp::Store& store() { return outbox_; }
  delivery::WebhookEndpoint& endpoint() { return endpoint_; }
  delivery::WebhookSender& sender() { return sender_; }

 private:
  Webhooks(const Config& config, WebhooksPorts ports, crypto::WebhookKeys signing);

  WebhooksPorts ports_;
  net::Client client_;  // its own, so that events take no connection from carriers
  providers::HttpWebhookClient poster_;
  delivery::WebhookEndpoint endpoint_;
  delivery::WebhookOutbox outbox_;
  delivery::WebhookSender sender_;
};

}  // namespace otpd::app
