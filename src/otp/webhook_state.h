// What is stored for outbound webhooks: one event on its way, and the endpoint that gets them.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "otp/state.h"

namespace otpd::otp {

// What a job under a webhook_key carries, sealed in the queue.
struct WebhookPayload {
  std::string id;           // the audit event's; the same for every try
  std::string body;         // JSON, as it goes out
  std::string application;  // whose event it is; empty: the base one's
};

std::string encode(const WebhookPayload& payload);
template <>
Result<WebhookPayload> decode(std::string_view bytes);

// No record: the endpoint is enabled and answers.
struct WebhookEndpointState {
  bool disabled = false;
  TimePoint since;       // of `disabled`
  bool failing = false;  // it has refused many tries, and none went well since
};

std::string encode(const WebhookEndpointState& state);
template <>
Result<WebhookEndpointState> decode(std::string_view bytes);

}  // namespace otpd::otp
