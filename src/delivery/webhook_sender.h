// WebhookSender: sends the jobs that are events of an application to its endpoint.
#pragma once

#include <string>

#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "crypto/standard_webhooks.h"
#include "delivery/queue.h"
#include "delivery/webhook_client.h"
#include "delivery/webhook_endpoint.h"
#include "delivery/webhook_schedule.h"

namespace otpd::delivery {

// Counts one in otpd_webhooks_total.
void count_webhook(Metrics& metrics, const char* result);

struct WebhookSenderConfig {
  Millis timeout{15'000};          // of one try
  std::size_t max_in_flight = 16;  // tries at once; more are put off
};

// All outlive the sender.
struct WebhookSenderPorts {
  WebhookClient& client;
  WebhookEndpoint& endpoint;
  const Clock& clock;
  Random& random;
  Metrics& metrics;
};

// One for each endpoint: what one answers, or how long it takes, is nothing to another. Lives on
// the courier's loop.
class WebhookSender {
 public:
  // `signing`: of the endpoint's secrets.
  WebhookSender(WebhookSenderPorts ports, crypto::WebhookKeys signing, WebhookSenderConfig config);

  // Takes a place for one try, which send() gives back. False if none is free, or while an
  // overloaded endpoint is spared.
  bool admit();

  // One admitted try, whatever comes of it: how the job ends, but for its lease. A 410 disables the
  // endpoint; jobs of a disabled endpoint die.
  Task<otp::JobEnd> send(const Job& job, const otp::WebhookPayload& payload);

  // The end of a job that was not admitted: it is given back.
  otp::JobEnd put_off(const Job& job);

  std::size_t in_flight() const { return in_flight_; }

 private:
  Task<otp::JobEnd> attempt(const Job& job, const otp::WebhookPayload& payload);
  Task<otp::JobEnd> conclude(const Job& job, WebhookStep step);
  Task<void> note_outcome(const WebhookStep& step);
  void pace(const Result<WebhookAnswer>& answer, const WebhookStep& step, TimePoint now);
  WebhookSenderPorts ports_;
  const crypto::WebhookKeys signing_;
  const WebhookSenderConfig config_;
  std::size_t in_flight_ = 0;
  int slow_in_a_row_ = 0;
  int failed_in_a_row_ = 0;
  TimePoint spared_until_{};
};

}  // namespace otpd::delivery
