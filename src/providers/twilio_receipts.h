// Twilio's status callbacks of messages and calls.
#pragma once

#include <memory>
#include <string_view>

#include "base/secret.h"
#include "delivery/receipt.h"
#include "net/form.h"

namespace otpd::providers {

// The value of X-Twilio-Signature for a form callback to `url` (https://www.twilio.com/docs/usage/
// security): base64 of HMAC-SHA-1 under the account's token over the URL and, sorted by name, each
// name with its values; of equal names the different values, sorted.
std::string twilio_signature(std::string_view token, std::string_view url,
                             const net::FormFields& fields);

// Believes forms that the account's token signed, for the URL with or without the scheme's default
// port. The signature has no time in it: a repeated callback is believed, and says the same.
std::unique_ptr<delivery::ReceiptReader> make_twilio_receipts(Secret auth_token);

}  // namespace otpd::providers
