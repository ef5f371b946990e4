// BlockDesk: closes blocks of numbers that are pumped, and keeps the list of those that are closed.
//
// A block's own record decides; the list is for people. The record is written first: if the process
// dies between the two, whoever is refused by the closed block next puts it on the list.
#pragma once

#include <string>

#include "otp/caps.h"
#include "otp/events.h"
#include "otp/policy.h"
#include "otp/services.h"

namespace otpd::otp {

// Runs on the caller's loop; safe on several loops. All calls fail as the store does.
class BlockDesk {
 public:
  BlockDesk(const Services& services, const Rules& rules) : services_(services), rules_(rules) {}

  // How long the block is closed, as `seen` says, which was loaded from its record; 0: open. Closes
  // it, with its audit line, if it has to be.
  Task<Result<Millis>> closed_for(std::string prefix, AllowanceState seen,
                                  const EventWriter& events);

  // A code that was sent to the block with that record (hash_of its key) was verified.
  Task<Result<void>> count_verified(std::string block_hash);

  // The closed blocks.
  Task<Result<ClosedBlocks>> list();

  // Opens the block and forgets what it was closed for; false if there is nothing to forget.
  // Writes the operator's audit line.
  Task<Result<bool>> reset(std::string prefix, std::string client_ip);

 private:
  Task<Result<GuardState>> close(Key key, std::string prefix, const EventWriter& events);
  Task<Result<void>> enlist(Key key, std::string prefix, GuardState guard);
  Key key_of(std::string_view prefix) const;
  Key list_key() const;

  Services services_;
  const Rules& rules_;
};

// When a store may forget what is counted of a scope.
TimePoint garbage_at(const AllowanceState& state, const PumpingRule& rule, TimePoint now);

}  // namespace otpd::otp
