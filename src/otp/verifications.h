// Verifications: looking at one, and cancelling it.
#pragma once

#include <optional>
#include <string_view>

#include "otp/issuer.h"

namespace otpd::otp {

class Verifications {
 public:
  explicit Verifications(Services services) : services_(services) {}

  // The verification as it stands, or nothing if there is none of that id (any more). Its status
  // is `status_name(verification, now)`.
  Task<Result<std::optional<Verification>>> find(VerificationId id);

  // Ends it if it lives; the verification as it stands then, or nothing.
  Task<Result<std::optional<Verification>>> cancel(VerificationId id, std::string_view client_ip);

 private:
  Services services_;
};

}  // namespace otpd::otp
