// Webhook: the customer's own sender, which gets every message as a signed JSON document
// (Standard Webhooks) and may tell later, signed alike, what became of it.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::providers {

struct WebhookConfig {
  std::string url;
  Secret secrets;  // one or more of whsec_…, separated by a space, the newest first
};

// What an answer means: 2xx took the message; 422 says that this recipient will never work, 429
// that it is too fast; other 4xx are settings. `job_id` names a message that the answer's member
// "id" does not. Pure; `now` only serves to read a Retry-After date.
delivery::Outcome classify_webhook(const net::HttpAnswer& answer, const std::string& job_id,
                                   TimePoint now);

// POSTs {"type":"otp.message","timestamp":…,"data":{…}}; every try of one job has the same
// webhook-id. Its receipts are {"type":"otp.delivered" or "otp.failed","data":{"id":…,
// "reason":…}}. Failure::invalid naming the setting that is missing or cannot be. `client` and
// `clock` must outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_webhook(WebhookConfig config, net::Client& client,
                                                         const Clock& clock);

}  // namespace otpd::providers
