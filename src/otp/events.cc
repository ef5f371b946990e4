#include "otp/events.h"

#include "base/encoding.h"
#include "base/uuid.h"
#include "otp/verification.h"

namespace otpd::otp {

audit::Event EventWriter::make(std::string_view type, TimePoint now,
                               std::string_view detail) const {
  audit::Event event;
  event.id = uuid_v7(now, random_);
  event.user_id = source_.user_id;
  event.channel_hash = hex_encode(source_.recipient_hash);
  event.event_type = type;
  event.ip_address = source_.ip_address;
  event.country = source_.country;
  event.created_at = now;
  event.purpose = source_.purpose;
  event.provider = source_.provider;
  event.detail = detail;
  return event;
}

audit::Event EventWriter::make(std::string_view type, const Verification& verification,
                               TimePoint now, std::string_view detail) const {
  audit::Event event = make(type, now, detail);
  event.verification_id = VerificationId{std::string(source_.recipient_hash), verification.id}.text();
  event.purpose = verification.purpose;
  if (!verification.user_id.empty()) event.user_id = verification.user_id;
  if (!verification.country.empty()) event.country = verification.country;
  return event;
}

void EventWriter::add_expired(std::vector<audit::Event>& lines, RecipientState& state,
                              const std::vector<std::string>& expired, TimePoint now) const {
  for (const std::string& unique : expired) {
    lines.push_back(make(audit::event_type::k_expired, *find_verification(state, unique), now));
  }
}

}  // namespace otpd::otp
