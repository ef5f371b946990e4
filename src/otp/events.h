// EventWriter: makes the audit lines of one request or one delivery, all with the same who, where
// and when.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/event.h"
#include "base/random.h"
#include "otp/ids.h"
#include "otp/state.h"

namespace otpd::otp {

// Every member may be empty. Views must outlive the writer.
struct EventSource {
  std::string_view recipient_hash;
  std::string_view user_id;
  std::string_view ip_address;
  std::string_view country;
  std::string_view purpose;
  std::string_view provider;
};

class EventWriter {
 public:
  EventWriter(Random& random, const EventSource& source) : random_(random), source_(source) {}

  // A line about no verification in particular.
  audit::Event make(std::string_view type, TimePoint now, std::string_view detail = {}) const;

  // A line about one verification of the source's recipient; what the verification knows of its
  // purpose, user and country goes before what the source says.
  audit::Event make(std::string_view type, const Verification& verification, TimePoint now,
                    std::string_view detail = {}) const;

  // The lines of verifications that have just expired, by their unique ids in `state`.
  void add_expired(std::vector<audit::Event>& lines, RecipientState& state,
                   const std::vector<std::string>& expired, TimePoint now) const;

 private:
  Random& random_;
  EventSource source_;
};

}  // namespace otpd::otp
