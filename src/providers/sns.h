// Sns: SMS through Amazon SNS (the Publish action of its Query API, version 2010-03-31). It sends
// no receipts over HTTP.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"

namespace otpd::providers {

struct SnsConfig {
  std::string base_url;  // empty: https://sns.REGION.amazonaws.com
  std::string region;    // e.g. eu-west-1
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;            // of temporary credentials; may be empty
  std::string sender_id;           // 3 to 11 letters and digits; may be empty
  std::string origination_number;  // may be empty
  bool promotional = false;        // SMSType Promotional instead of Transactional
};

// What an answer means: the error's code counts, for throttling is HTTP 400. Pure; `now` only
// serves to read a Retry-After date.
delivery::Outcome classify_sns(int status, const net::Headers& headers, std::string_view body,
                               TimePoint now);

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_sns(SnsConfig config, net::Client& client,
                                                     const Clock& clock);

}  // namespace otpd::providers
