// WebhookSenders: which sender an event goes out by: that of the endpoint which its application has
// now, and no other's.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delivery/webhook_sender.h"
#include "otp/webhook_state.h"

namespace otpd::delivery {

// An event that has a place; WebhookSenders::send gives it back.
struct AdmittedWebhook {
  Job job;
  otp::WebhookPayload payload;
  WebhookSender* sender;
};

// Lives on the courier's loop.
class WebhookSenders {
 public:
  // By application, the base one under the empty name; several may share one. An application that
  // is not there has no endpoint. `keys`, `metrics` and the senders outlive this.
  using ByApplication = std::map<std::string, WebhookSender*, std::less<>>;
  WebhookSenders(const crypto::KeyRing& keys, Metrics& metrics, ByApplication senders);

  // The event with its place, or how its job ends without one, but for its lease.
  std::expected<AdmittedWebhook, otp::JobEnd> admit(Job job);

  // One try, whatever comes of it.
  static Task<otp::JobEnd> send(const AdmittedWebhook& webhook);

  std::size_t in_flight() const;

 private:
  otp::JobEnd bury(const Job& job, const char* reason) const;

  const crypto::KeyRing& keys_;
  Metrics& metrics_;
  const ByApplication senders_;
  std::vector<const WebhookSender*> each_;  // once
};

}  // namespace otpd::delivery
