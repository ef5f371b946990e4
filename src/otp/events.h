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

// The detail of every line about a verification of a test recipient.
inline constexpr std::string_view k_test_recipient_detail = "test_recipient";

// Every member may be empty. Views must outlive the writer.
struct EventSource {
  std::string_view recipient_hash;
  std::string_view user_id;
  std::string_view ip_address;
  std::string_view country;
  std::string_view purpose;
  std::string_view provider;
};

// Writes on the lines whose they are, unless they are the base application's.
void name_application(std::vector<audit::Event>& lines, std::string_view application,
                      std::string_view base);

class EventWriter {
 public:
  EventWriter(Random& random, const EventSource& source) : random_(random), source_(source) {}

  // `unique` is the unique part of the verification's id, or empty.
  audit::Event make(std::string_view type, std::string_view unique, TimePoint now,
                    std::string_view detail = {}) const;

  // The same of a verification, with its own user, purpose and country, whoever the source is.
  audit::Event make_of(const Verification& about, std::string_view type, TimePoint now,
                       std::string_view detail = {}) const;

  // Ends what is past its deadline (verification.h), and tells it. It is nobody's doing, so the
  // lines have no address.
  std::vector<audit::Event> expire(RecipientState& state, TimePoint now) const;

 private:
  Random& random_;
  EventSource source_;
};

}  // namespace otpd::otp
