// Vonage: SMS through Vonage's SMS API, and its delivery receipts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "delivery/provider.h"
#include "net/client.h"
#include "providers/vonage_receipts.h"

namespace otpd::providers {

struct VonageConfig {
  std::string base_url = "https://rest.nexmo.com";
  std::string api_key;
  Secret api_secret;
  std::string from;         // the sender's name or number
  Secret signature_secret;  // of the account's receipts; empty: none is believed
  VonageSignature signature = VonageSignature::sha256;
};

// What an answer means: Vonage says HTTP 200 to failures, too, and one status for every part of
// the message; it is taken only if every part is. Pure; `now` only serves to read a Retry-After
// date.
delivery::Outcome classify_vonage(int status, const net::Headers& headers, std::string_view body,
                                  TimePoint now);

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_vonage(VonageConfig config, net::Client& client,
                                                        const Clock& clock);

}  // namespace otpd::providers
