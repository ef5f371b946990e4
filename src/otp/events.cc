#include "otp/events.h"

#include "base/encoding.h"
#include "base/uuid.h"

namespace otpd::otp {

audit::Event EventWriter::make(std::string_view type, std::string_view unique, TimePoint now,
                               std::string_view detail) const {
  audit::Event event;
  event.id = uuid_v7(now, random_);
  event.user_id = source_.user_id;
  event.channel_hash = hex_encode(source_.recipient_hash);
  event.event_type = type;
  event.ip_address = source_.ip_address;
  event.country = source_.country;
  event.created_at = now;
  if (!unique.empty()) {
    event.verification_id =
        VerificationId{std::string(source_.recipient_hash), std::string(unique)}.text();
  }
  event.purpose = source_.purpose;
  event.provider = source_.provider;
  event.detail = detail;
  return event;
}

}  // namespace otpd::otp
