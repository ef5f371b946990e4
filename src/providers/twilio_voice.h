// What a call through Twilio says: a TwiML document.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace otpd::providers {

// A call ends this long after it was answered, so whoever presses the key late still hears a text
// of half a minute.
inline constexpr Seconds k_call_limit{90};

// Asks for the key 1 in the language of `locale` (BCP 47; English where there is no text), and
// says `text` once it is pressed. Without the key nothing is said until the call ends at
// k_call_limit: so a mailbox never records a code. The key is the one that finishes the input, and
// pressing it first goes on with the document instead of fetching another.
Secret make_twiml(std::string_view locale, std::string_view text);

}  // namespace otpd::providers
