// The WebhookClient over net::Client.
#pragma once

#include "delivery/webhook_client.h"
#include "net/client.h"

namespace otpd::providers {

class HttpWebhookClient final : public delivery::WebhookClient {
 public:
  // Runs on the client's loop; `client` and `clock` outlive it. Unless `allow_private`, calls only
  // go to public addresses.
  HttpWebhookClient(net::Client& client, const Clock& clock, bool allow_private)
      : client_(client), clock_(clock), allow_private_(allow_private) {}

  Task<Result<delivery::WebhookAnswer>> post(const delivery::WebhookPost& post) override;

 private:
  net::Client& client_;
  const Clock& clock_;
  const bool allow_private_;
};

}  // namespace otpd::providers
