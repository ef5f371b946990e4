// Standard Webhooks: signed messages between services, symmetric version
// (https://www.standardwebhooks.com, "v1": HMAC-SHA-256 over id.timestamp.body).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace otpd::crypto {

// The three headers of a message, beside its body.
struct WebhookHeaders {
  std::string_view id;         // webhook-id
  std::string_view timestamp;  // webhook-timestamp
  std::string_view signature;  // webhook-signature
};

// Signs and checks with the secrets of one endpoint. Immutable: safe from any thread.
class WebhookKeys {
 public:
  static constexpr Seconds k_tolerance{300};
  static constexpr std::size_t k_max_secrets = 5;

  // `secrets`: one or more of "whsec_" and the base64 of 24 to 64 bytes, separated by one space
  // each; the first is the newest. Failure::invalid without a word of them.
  static Result<WebhookKeys> make(std::string_view secrets);

  // The value of webhook-signature: a signature for each secret, so that the receiver may know
  // either during a rotation. `id` without a dot; `at` goes out as webhook-timestamp in seconds.
  std::string sign(std::string_view id, TimePoint at, std::string_view body) const;

  // Whether one of the signatures is by one of the secrets (in constant time), and the timestamp
  // within k_tolerance of `now`.
  bool verify(const WebhookHeaders& headers, std::string_view body, TimePoint now) const;

 private:
  std::vector<Secret> keys_;
};

// Seconds since 1970 as webhook-timestamp has them.
std::string webhook_timestamp(TimePoint at);

}  // namespace otpd::crypto
