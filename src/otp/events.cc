#include "otp/events.h"

#include "base/encoding.h"
#include "base/uuid.h"
#include "otp/verification.h"

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

audit::Event EventWriter::make_of(const Verification& about, std::string_view type, TimePoint now,
                                  std::string_view detail) const {
  audit::Event event =
      make(type, about.id, now, about.test_recipient ? k_test_recipient_detail : detail);
  event.user_id = about.user_id;
  event.country = about.country;
  event.purpose = about.purpose;
  return event;
}

void name_application(std::vector<audit::Event>& lines, std::string_view application,
                      std::string_view base) {
  if (application == base) return;
  for (audit::Event& line : lines) line.application = application;
}

std::vector<audit::Event> EventWriter::expire(RecipientState& state, TimePoint now) const {
  std::vector<audit::Event> lines;
  for (const std::string& unique : otp::expire(state, now)) {
    lines.push_back(make_of(*find_verification(state, unique), audit::event_type::k_expired, now));
    lines.back().ip_address.clear();
  }
  return lines;
}

}  // namespace otpd::otp
