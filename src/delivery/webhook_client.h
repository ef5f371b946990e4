// WebhookClient: the port through which a webhook leaves. Whoever has sockets implements it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace otpd::delivery {

// One HTTP POST of JSON; the views live until the answer.
struct WebhookPost {
  std::string_view url;
  std::string_view id;         // webhook-id
  std::string_view timestamp;  // webhook-timestamp
  std::string_view signature;  // webhook-signature
  std::string_view body;
  Millis timeout{15'000};
};

struct WebhookAnswer {
  int status = 0;
  std::optional<Millis> retry_after;  // what the endpoint asks for, at most a day
};

class WebhookClient {
 public:
  virtual ~WebhookClient() = default;

  // The answer, whatever its status; redirects are not followed. Failures: timeout, unavailable
  // (no connection), invalid (an answer or an address that is not to be used).
  virtual Task<Result<WebhookAnswer>> post(const WebhookPost& post) = 0;
};

}  // namespace otpd::delivery
