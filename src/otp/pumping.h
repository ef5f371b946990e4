// Pumping: somebody has messages sent to numbers whose carrier shares the money with him. Nobody
// answers the codes, so a block of numbers where hardly any send is verified is closed for a
// growing time. Pure rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "otp/allowance.h"

namespace otpd::otp {

struct PumpingRule {
  std::uint32_t min_sends = 30;    // so many in the window before anything is judged; at least 1
  std::uint32_t min_percent = 10;  // of them verified; below it the block is closed
  Millis window{std::chrono::hours(1)};
  // For the answer: a younger send is not judged, and one up to a sixtieth of the window older may
  // not be yet.
  Millis grace{std::chrono::minutes(2)};
  Millis first{std::chrono::minutes(30)};
  Millis longest{std::chrono::hours(24)};
  bool shadow = false;  // what a closed block would refuse is only recorded
};

// How many sends are old enough to be judged, and how many were verified.
struct Conversion {
  std::uint64_t sends = 0;
  std::uint64_t verified = 0;
  bool operator==(const Conversion&) const = default;
};

// What is remembered of one block.
struct GuardState {
  TakenLog sends;
  TakenLog verified;
  std::uint32_t closings = 0;  // one after the other; forgotten after `longest` without
  TimePoint closed_at;
  TimePoint closed_until;
  Conversion closed_for;  // what it was closed for
  bool listed = false;    // in the list of closed blocks
  bool operator==(const GuardState&) const = default;
};

Conversion conversion_of(GuardState& state, const PumpingRule& rule, TimePoint now);

// How long the block is still closed; 0: open. A clock that stepped back never makes it longer than
// the last closing was.
Millis block_closed_for(const GuardState& state, const PumpingRule& rule, TimePoint now);

// Whether an open block has to be closed.
bool is_pumped(GuardState& state, const PumpingRule& rule, TimePoint now);

// Closes it at `now`, twice as long as before, and begins to count anew.
void close_block(GuardState& state, const PumpingRule& rule, TimePoint now);

// One block in the list of an application's closed ones.
struct ClosedBlock {
  std::string prefix;  // "+4470090", what all its numbers begin with
  TimePoint since;
  TimePoint until;
  std::uint32_t closings = 1;
  Conversion closed_for;
  bool operator==(const ClosedBlock&) const = default;
};

inline constexpr std::size_t k_max_closed_blocks = 1'000;

// Those that are closed, in the order of their closing. Bounded: those that end first make room.
struct ClosedBlocks {
  std::vector<ClosedBlock> blocks;
};
void list_block(ClosedBlocks& list, ClosedBlock block, TimePoint now);
// False if it is not there.
bool unlist_block(ClosedBlocks& list, std::string_view prefix);

}  // namespace otpd::otp
