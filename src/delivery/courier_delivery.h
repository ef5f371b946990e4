// One job on its way through the courier.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "delivery/courier.h"

namespace otpd::delivery {

// Within the lease; after it another worker delivers again.
inline constexpr int k_max_write_tries = 40;

struct Courier::Delivery {
  Job job;
  otp::Payload payload;
  const Outlet* outlet = nullptr;  // the application's
  otp::Record record;              // the recipient's, as loaded before the try
  // The same, read; nothing if it or the job cannot be: then only the dead letter can tell.
  std::optional<otp::RecipientState> state;
  std::string lane;  // the last one asked
  std::vector<FailedTry> failed;
  std::optional<otp::NewJob> fallback;     // to be written with the yes
  TimePoint accepted_at;                   // when the send was accepted
  bool charged = false;                    // of a fallback: this try is paid for
  std::vector<std::string_view> shadowed;  // for which shadows it would have been refused
};

// Whether a message on another channel is not needed: the first one arrived, or a newer one left.
bool arrived(const otp::Payload& payload, const otp::Verification& verification);

}  // namespace otpd::delivery
