// Payload: what a worker needs to deliver one message. It exists in the open only in memory; in
// the queue it is sealed.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "otp/context.h"
#include "otp/ids.h"
#include "otp/state.h"

namespace otpd::otp {

struct Payload {
  VerificationId verification_id;
  std::string channel;
  std::string purpose;
  std::string locale;
  Secret address;
  Secret code;
  Secret link_token;  // empty if the purpose has no link
  Context context;
  std::string country;
  std::string user_id;
  // The carrier's name of the message that this one replaces on another channel if no receipt of
  // it comes; empty for a first message.
  std::string replaces;
  std::string application;  // whose message it is; empty in jobs from before there were several

  Payload clone() const;
};

// The bytes to seal: secret themselves; the caller wipes them.
std::string encode(const Payload& payload);
template <>
Result<Payload> decode(std::string_view bytes);

}  // namespace otpd::otp
