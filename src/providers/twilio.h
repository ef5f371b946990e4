// Twilio: SMS and WhatsApp through Twilio's Messages API, calls through its Calls API (version
// 2010-04-01), and the receipts of both.
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

struct TwilioConfig {
  std::string base_url = "https://api.twilio.com";
  std::string account_sid;            // AC…
  Secret auth_token;                  // the account's; it also signs the receipts
  std::string api_key_sid;            // SK…, to sign in with; empty: the account itself does
  Secret api_key_secret;              // goes with it
  std::string from;                   // the sender's number or name, or else:
  std::string messaging_service_sid;  // MG…
};

// What an answer means. Pure; `now` only serves to read a Retry-After date.
delivery::Outcome classify_twilio(int status, const net::Headers& headers, std::string_view body,
                                  TimePoint now);

// Failure::invalid naming the setting that is missing or cannot be. `client` and `clock` must
// outlive the provider, which runs on the client's loop.
Result<std::unique_ptr<delivery::Provider>> make_twilio(TwilioConfig config, net::Client& client,
                                                        const Clock& clock);

}  // namespace otpd::providers
