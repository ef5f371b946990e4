#include "otp/block_desk.h"

#include <algorithm>
#include <utility>

#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

namespace type = audit::event_type;

// No window of an allowance is longer, with what it counts beyond its end.
constexpr Millis k_longest_window = std::chrono::hours(25);

TimePoint list_garbage_at(const ClosedBlocks& list, TimePoint now) {
  TimePoint end = now;
  for (const ClosedBlock& block : list.blocks) end = std::max(end, block.until);
  return end;
}

}  // namespace

TimePoint garbage_at(const AllowanceState& state, const PumpingRule& rule, TimePoint now) {
  const TimePoint counted = now + std::max(k_longest_window, 2 * rule.window);
  return std::max(counted, state.guard.closed_until + rule.longest);
}

Key BlockDesk::key_of(std::string_view prefix) const {
  return block_key(services_.keys.index_key(), rules_.application, prefix);
}

Key BlockDesk::list_key() const {
  return closed_blocks_key(services_.keys.index_key(), rules_.application);
}

Task<Result<Millis>> BlockDesk::closed_for(std::string prefix, AllowanceState seen,
                                           const EventWriter& events) {
  const PumpingRule& rule = rules_.caps.pumping;
  const TimePoint now = services_.clock.now();
  GuardState guard = std::move(seen.guard);
  Millis closed = block_closed_for(guard, rule, now);
  const Key key = key_of(prefix);
  if (closed == Millis(0)) {
    if (!is_pumped(guard, rule, now)) co_return Millis(0);
    auto written = co_await close(key, prefix, events);
    if (!written) co_return std::unexpected(written.error());
    guard = std::move(*written);
    closed = block_closed_for(guard, rule, now);
  }
  if (closed > Millis(0) && !guard.listed) {
    const auto listed = co_await enlist(key, prefix, guard);
    if (!listed) co_return std::unexpected(listed.error());
  }
  co_return closed;
}

// What stands in the record then, whoever has closed it.
Task<Result<GuardState>> BlockDesk::close(Key key, std::string prefix, const EventWriter& events) {
  const PumpingRule& rule = rules_.caps.pumping;
  co_return co_await update<AllowanceState, GuardState>(
      services_.store, services_.clock, std::move(key), [&](AllowanceState& state, TimePoint now) {
        Decision<GuardState> decision{.out = {}};
        if (block_closed_for(state.guard, rule, now) == Millis(0) &&
            is_pumped(state.guard, rule, now)) {
          close_block(state.guard, rule, now);
          decision.effects.events.push_back(events.make(type::k_pumping_blocked, {}, now, prefix));
          decision.changed = true;
          decision.expires_at = garbage_at(state, rule, now);
        }
        decision.out = state.guard;
        return decision;
      });
}

Task<Result<void>> BlockDesk::enlist(Key key, std::string prefix, GuardState guard) {
  const ClosedBlock block{std::move(prefix), guard.closed_at, guard.closed_until, guard.closings,
                          guard.closed_for};
  const auto listed = co_await update<ClosedBlocks, bool>(
      services_.store, services_.clock, list_key(), [&](ClosedBlocks& list, TimePoint now) {
        list_block(list, block, now);
        return Decision<bool>{
            .out = true, .changed = true, .expires_at = list_garbage_at(list, now)};
      });
  if (!listed) co_return std::unexpected(listed.error());
  const auto marked = co_await update<AllowanceState, bool>(
      services_.store, services_.clock, std::move(key), [&](AllowanceState& state, TimePoint now) {
        // An operator may have opened it in the meantime, and it may have been closed again.
        const bool same = state.guard.closed_at == guard.closed_at && !state.guard.listed;
        if (same) state.guard.listed = true;
        return Decision<bool>{.out = same,
                              .changed = same,
                              .expires_at = garbage_at(state, rules_.caps.pumping, now)};
      });
  if (!marked) co_return std::unexpected(marked.error());
  co_return Result<void>();
}

Task<Result<void>> BlockDesk::count_verified(std::string block_hash) {
  const PumpingRule& rule = rules_.caps.pumping;
  const auto counted = co_await update<AllowanceState, bool>(
      services_.store, services_.clock, allowance_record(block_hash),
      [&](AllowanceState& state, TimePoint now) {
        // What nobody has sent to for a window is not judged.
        const bool known = taken_within(state.guard.sends, rule.window, now) > 0;
        if (known) add_taken(state.guard.verified, rule.window, 1, now);
        return Decision<bool>{
            .out = known, .changed = known, .expires_at = garbage_at(state, rule, now)};
      });
  if (!counted) co_return std::unexpected(counted.error());
  co_return Result<void>();
}

Task<Result<ClosedBlocks>> BlockDesk::list() {
  const auto loaded = co_await services_.store.load(list_key());
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return ClosedBlocks{};
  auto list = decode<ClosedBlocks>(loaded->bytes);
  if (!list) co_return std::unexpected(list.error());
  const TimePoint now = services_.clock.now();
  std::erase_if(list->blocks, [&](const ClosedBlock& block) { return block.until <= now; });
  co_return std::move(*list);
}

Task<Result<bool>> BlockDesk::reset(std::string prefix, std::string client_ip) {
  const PumpingRule& rule = rules_.caps.pumping;
  const EventWriter events(services_.random, {{}, {}, client_ip, {}, {}, {}});
  const auto opened = co_await update<AllowanceState, bool>(
      services_.store, services_.clock, key_of(prefix), [&](AllowanceState& state, TimePoint now) {
        Decision<bool> decision{.out = state.guard.closings > 0};
        if (!decision.out) return decision;
        state.guard = {};
        decision.effects.events.push_back(events.make(type::k_admin_block_reset, {}, now, prefix));
        decision.changed = true;
        decision.expires_at = garbage_at(state, rule, now);
        return decision;
      });
  if (!opened) co_return std::unexpected(opened.error());
  const auto unlisted = co_await update<ClosedBlocks, bool>(
      services_.store, services_.clock, list_key(), [&](ClosedBlocks& list, TimePoint now) {
        const bool was = unlist_block(list, prefix);
        return Decision<bool>{.out = was,
                              .changed = was,
                              .erase = list.blocks.empty(),
                              .expires_at = list_garbage_at(list, now)};
      });
  if (!unlisted) co_return std::unexpected(unlisted.error());
  co_return *opened || *unlisted;
}

}  // namespace otpd::otp
