#include "providers/webhook_client.h"

#include <algorithm>

#include "providers/retry_after.h"

namespace otpd::providers {

Task<Result<delivery::WebhookAnswer>> HttpWebhookClient::post(const delivery::WebhookPost& post) {
  net::HttpCall call;
  call.url = post.url;
  call.headers = {{"Content-Type", "application/json"},
                  {"webhook-id", std::string(post.id)},
                  {"webhook-timestamp", std::string(post.timestamp)},
                  {"webhook-signature", std::string(post.signature)}};
  call.body = post.body;
  call.connect_timeout = std::min(call.connect_timeout, post.timeout);
  call.timeout = post.timeout;
  call.public_only = !allow_private_;
  const auto answer = co_await client_.http(call);
  if (!answer) co_return std::unexpected(answer.error());
  co_return delivery::WebhookAnswer{answer->status, retry_after(answer->headers, clock_.now())};
}

}  // namespace otpd::providers
