// Deliverability: the port by which a send learns that its message could go nowhere.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace otpd::otp {

class Deliverability {
 public:
  virtual ~Deliverability() = default;

  // How long until the channel may carry messages to that address again; nothing if it can now,
  // as far as is known. Answers at once. Safe from any thread.
  virtual std::optional<Millis> unavailable_for(std::string_view channel,
                                                std::string_view address) const = 0;
};

}  // namespace otpd::otp
