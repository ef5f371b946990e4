#include "otp/pumping.h"

#include <algorithm>
#include <limits>

#include "otp/lock.h"

namespace otpd::otp {
namespace {

Millis closing_length(const PumpingRule& rule, std::uint32_t closings) {
  return lock_length({.guesses = 1, .first = rule.first, .longest = rule.longest}, closings);
}

}  // namespace

Conversion conversion_of(GuardState& state, const PumpingRule& rule, TimePoint now) {
  Conversion found;
  found.verified = taken_within(state.verified, rule.window, now);
  taken_within(state.sends, rule.window, now);
  const Millis width = sub_window(rule.window);
  for (const Taken& taken : state.sends) {
    // Of what a sub-window holds, the youngest was sent at its end.
    if (taken.from + width + rule.grace <= now) found.sends = add_capped(found.sends, taken.amount);
  }
  return found;
}

Millis block_closed_for(const GuardState& state, const PumpingRule& rule, TimePoint now) {
  const TimePoint until = std::min(state.closed_until, now + closing_length(rule, state.closings));
  return until <= now ? Millis(0) : until - now;
}

bool is_pumped(GuardState& state, const PumpingRule& rule, TimePoint now) {
  const auto [sends, verified] = conversion_of(state, rule, now);
  if (sends < std::max(rule.min_sends, 1U)) return false;
  constexpr std::uint64_t k_exact = std::numeric_limits<std::uint64_t>::max() / 100;
  if (verified > k_exact) return false;
  return verified * 100 / sends < rule.min_percent;
}

void close_block(GuardState& state, const PumpingRule& rule, TimePoint now) {
  const bool forgotten = state.closed_until + rule.longest <= now;
  state.closings = forgotten ? 1 : std::min(state.closings, 1'000'000U) + 1;
  state.closed_for = conversion_of(state, rule, now);
  state.closed_at = now;
  state.closed_until = now + closing_length(rule, state.closings);
  state.listed = false;
  state.sends.clear();
  state.verified.clear();
}

void list_block(ClosedBlocks& list, ClosedBlock block, TimePoint now) {
  unlist_block(list, block.prefix);
  if (list.blocks.size() >= k_max_closed_blocks) {
    std::erase_if(list.blocks, [&](const ClosedBlock& one) { return one.until <= now; });
  }
  if (list.blocks.size() >= k_max_closed_blocks) {
    list.blocks.erase(std::ranges::min_element(list.blocks, {}, &ClosedBlock::until));
  }
  list.blocks.push_back(std::move(block));
}

bool unlist_block(ClosedBlocks& list, std::string_view prefix) {
  return std::erase_if(list.blocks, [&](const ClosedBlock& one) { return one.prefix == prefix; }) >
         0;
}

}  // namespace otpd::otp
