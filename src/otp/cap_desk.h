// CapDesk: charges a message for what is capped for everybody together.
//
// It is the last step before a send is written, after every limit of its own and its captcha: what
// those refuse costs nobody else anything. All caps are asked before any is charged, so what one of
// them refuses is not counted by the others; only if several sends race for the last place may the
// loser stay counted where it had been let through.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "otp/block_desk.h"
#include "otp/leases.h"

namespace otpd::otp {

// Refused by a cap: "application", "country", "prefix", "block" or "budget". How high it is stays
// untold.
struct CapReached {
  std::string_view limit;
  Millis retry_after;
};

struct CapCharge {
  std::optional<CapReached> refusal;       // then nothing is to be sent
  std::string_view reason = {};            // of the refusal, for the audit log
  std::vector<std::string_view> shadowed;  // for which shadows it would have been refused
  Micros price = 0;
};

// Runs on the caller's loop; safe on several loops.
class CapDesk {
 public:
  CapDesk(const Services& services, const Rules& rules)
      : services_(services), rules_(rules), blocks_(services, rules) {}

  // Charges one message on that channel, or refuses it; the caller writes why. Fails as the store
  // does; then it may be charged.
  Task<Result<CapCharge>> charge(const Recipient& recipient, std::string_view channel,
                                 const EventWriter& events);

  // How much of the application's cap by the hour is used, in percent; as it was known at most ten
  // seconds ago.
  Task<Result<std::uint32_t>> used_percent();

  // What counts now of the application's budget of 24 hours, as every process has written it.
  Task<Result<Micros>> spent();

  BlockDesk& blocks() { return blocks_; }

 private:
  struct Asked;
  struct Refusal;
  struct Took;
  Task<Result<AllowanceState>> load_application();
  Task<Result<std::optional<Refusal>>> ask(Asked& asked, const EventWriter& events,
                                           CapCharge& charge);
  Task<Result<std::optional<Refusal>>> take(Asked& asked, CapCharge& charge);
  Took take_from(const Asked& asked, AllowanceState& state, TimePoint now) const;
  bool covers(const Asked& asked, TimePoint now) const;
  void note_use(std::uint32_t percent, TimePoint now);

  Services services_;
  const Rules& rules_;
  BlockDesk blocks_;
  Guarded<Leases> leases_;
  std::atomic<std::int64_t> use_ = 0;  // of the application: when it was seen, and the percent
};

}  // namespace otpd::otp
