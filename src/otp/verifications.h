// Verifications: looking at one, and cancelling it.
#pragma once

#include <optional>
#include <string_view>

#include "otp/issuer.h"

namespace otpd::otp {

class Verifications {
 public:
  Verifications(Services services, const Rules& rules) : services_(services), rules_(rules) {}

  // The verification as it stands, or nothing if the application has none of that id (any more).
  // Its status is `status_name(verification, now)`.
  Task<Result<std::optional<Verification>>> find(VerificationId id);

  // The same of whichever application. For operators.
  Task<Result<std::optional<Verification>>> find_of_any(VerificationId id);

  // Ends it if it lives; the verification as it stands then, or nothing.
  Task<Result<std::optional<Verification>>> cancel(VerificationId id, std::string_view client_ip);

 private:
  Task<Result<RecipientState>> load(const VerificationId& id);
  Verification* find_own(RecipientState& state, const VerificationId& id) const;

  Services services_;
  const Rules& rules_;
};

}  // namespace otpd::otp
