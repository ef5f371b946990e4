#include "otp/cap_desk.h"

#include <utility>

#include "otp/update.h"

namespace otpd::otp {
namespace {

constexpr int k_max_takes = 8;       // each time other sends of this process spent what was there
constexpr Millis k_use_age{10'000};  // how old may be what is known of the application's use

constexpr std::int64_t k_percents = 1'000;  // more than there are

constexpr std::string_view k_pumping = "pumping";

Result<AllowanceState> read_allowance(const Record& record) {
  if (record.version == 0) return AllowanceState{};
  return decode<AllowanceState>(record.bytes);
}

}  // namespace

// One scope that a send counts for.
struct CapDesk::Asked {
  CapScope scope;
  Key key;
  Micros price;          // 0 where no money is capped
  std::uint64_t recent;  // sends that this process was asked for
  std::optional<Record> hint;
  bool is_block() const { return scope.limit == "block"; }
};

struct CapDesk::Refusal {
  CapReached answer;
  std::string_view reason;
  CapCharge charge() const { return {.refusal = answer, .reason = reason, .shadowed = {}}; }
};

// What one try to take came to.
struct CapDesk::Took {
  std::optional<Meter> refused;
  Millis retry_after{0};
  std::optional<Meter> shadowed;
  Chunk chunk;
  std::uint32_t used_percent = 0;  // of the cap by the hour
};

Task<Result<CapCharge>> CapDesk::charge(const Recipient& recipient, std::string_view channel,
                                        const EventWriter& events) {
  CapCharge charge{.refusal = {},
                   .reason = {},
                   .shadowed = {},
                   .price = price_of(rules_.caps, recipient, channel)};
  std::vector<Asked> all;
  for (CapScope& scope : scopes_of(rules_.caps, recipient)) {
    Key key = allowance_key(services_.keys.index_key(), rules_.application, scope);
    const Micros price = scope.caps[Meter::spent] ? charge.price : 0;
    all.push_back({std::move(scope), std::move(key), price, 1, {}});
    auto refusal = co_await ask(all.back(), events, charge);
    if (!refusal) co_return std::unexpected(refusal.error());
    if (*refusal) co_return (*refusal)->charge();
  }
  for (Asked& asked : all) {
    auto refusal = co_await take(asked, charge);
    if (!refusal) co_return std::unexpected(refusal.error());
    if (*refusal) co_return (*refusal)->charge();
  }
  co_return charge;
}

// Whether the scope would refuse, by what is stored now. Changes nothing there, but that it may
// close a block.
Task<Result<std::optional<CapDesk::Refusal>>> CapDesk::ask(Asked& asked, const EventWriter& events,
                                                           CapCharge& charge) {
  using Answer = std::optional<Refusal>;
  const TimePoint now = services_.clock.now();
  asked.recent = leases_.with([&](Leases& all) { return all.ask(asked.key, now); });
  if (covers(asked, now)) co_return Answer();
  auto loaded = co_await services_.store.load(asked.key);
  if (!loaded) co_return std::unexpected(loaded.error());
  auto state = read_allowance(*loaded);
  if (!state) co_return std::unexpected(state.error());
  asked.hint = std::move(*loaded);
  if (asked.is_block()) {
    const auto closed = co_await blocks_.closed_for(std::string(asked.scope.name), *state, events);
    if (!closed) co_return std::unexpected(closed.error());
    if (*closed > Millis(0) && !rules_.caps.pumping.shadow) {
      co_return Refusal{{"block", *closed}, k_pumping};
    }
    if (*closed > Millis(0)) charge.shadowed.push_back(k_pumping);
  }
  const AllowanceVerdict verdict = check_allowance(state->logs, asked.scope.caps, asked.price, now);
  const auto meter = refusing(verdict, asked.scope.caps, false);
  if (!meter) co_return Answer();
  const std::string_view limit = *meter == Meter::spent ? "budget" : asked.scope.limit;
  co_return Refusal{{limit, *verdict[*meter]}, reason_of(asked.scope, *meter)};
}

CapDesk::Took CapDesk::take_from(const Asked& asked, AllowanceState& state, TimePoint now) const {
  const AllowanceCaps& caps = asked.scope.caps;
  const AllowanceVerdict verdict = check_allowance(state.logs, caps, asked.price, now);
  Took took;
  took.refused = refusing(verdict, caps, false);
  if (took.refused) {
    took.retry_after = *verdict[*took.refused];
    return took;
  }
  took.shadowed = refusing(verdict, caps, true);
  // What goes into a shadow is told one by one, and what a block's guard counts is counted exactly.
  const std::uint64_t wanted = took.shadowed || asked.is_block() ? 1 : asked.recent;
  took.chunk = chunk_of(state.logs, caps, asked.price, wanted, now);
  take_chunk(state.logs, caps, verdict, took.chunk, now);
  if (asked.is_block()) {
    add_taken(state.guard.sends, rules_.caps.pumping.window, took.chunk.sends, now);
  }
  return took;
}

// Spends one send of what this process has, and takes a chunk first if there is none.
Task<Result<std::optional<CapDesk::Refusal>>> CapDesk::take(Asked& asked, CapCharge& charge) {
  using Answer = std::optional<Refusal>;
  for (int tries = 0; tries < k_max_takes; ++tries) {
    const bool spent = leases_.with(
        [&](Leases& all) { return all.spend(asked.key, asked.price, services_.clock.now()); });
    if (spent) co_return Answer();
    TimePoint taken_at;
    const auto took = co_await update<AllowanceState, Took>(
        services_.store, services_.clock, asked.key,
        [&](AllowanceState& state, TimePoint now) {
          Decision<Took> decision{.out = {}};
          // Another send of this process was faster, and has taken enough for this one.
          if (covers(asked, now)) return decision;
          decision.out = take_from(asked, state, now);
          decision.changed = !decision.out.refused;
          decision.expires_at = garbage_at(state, rules_.caps.pumping, now);
          decision.out.used_percent = hour_used_percent(state.logs, asked.scope.caps, now);
          taken_at = now;
          return decision;
        },
        std::exchange(asked.hint, std::nullopt));
    if (!took) co_return std::unexpected(took.error());
    if (asked.scope.limit == "application" && taken_at != TimePoint()) {
      note_use(took->used_percent, taken_at);
    }
    if (took->refused) {
      const Meter meter = *took->refused;
      const std::string_view limit = meter == Meter::spent ? "budget" : asked.scope.limit;
      co_return Refusal{{limit, took->retry_after}, reason_of(asked.scope, meter)};
    }
    if (took->chunk.sends == 0) continue;
    if (took->shadowed) charge.shadowed.push_back(reason_of(asked.scope, *took->shadowed));
    const Micros money = asked.scope.caps[Meter::spent] ? took->chunk.money - asked.price : 0;
    leases_.with(
        [&](Leases& all) { all.put(asked.key, {took->chunk.sends - 1, money}, taken_at); });
    co_return Answer();
  }
  co_return fail(Failure::overloaded, "too many sends wait for one allowance");
}

void CapDesk::note_use(std::uint32_t percent, TimePoint now) {
  use_ = now.time_since_epoch().count() * k_percents + percent;
}

bool CapDesk::covers(const Asked& asked, TimePoint now) const {
  return leases_.with([&](const Leases& all) { return all.covers(asked.key, asked.price, now); });
}

Task<Result<std::uint32_t>> CapDesk::used_percent() {
  const TimePoint now = services_.clock.now();
  const std::int64_t seen = use_;
  const TimePoint seen_at{Millis(seen / k_percents)};
  if (seen_at <= now && now < seen_at + k_use_age) {
    co_return static_cast<std::uint32_t>(seen % k_percents);
  }
  auto state = co_await load_application();
  if (!state) co_return std::unexpected(state.error());
  const std::uint32_t percent = hour_used_percent(state->logs, rules_.caps.application, now);
  note_use(percent, now);
  co_return percent;
}

Task<Result<Micros>> CapDesk::spent() {
  auto state = co_await load_application();
  if (!state) co_return std::unexpected(state.error());
  co_return taken_within(state->logs[Meter::spent], window_of(Meter::spent), services_.clock.now());
}

Task<Result<AllowanceState>> CapDesk::load_application() {
  const CapScope application{"application", {}, rules_.caps.application};
  const auto loaded = co_await services_.store.load(
      allowance_key(services_.keys.index_key(), rules_.application, application));
  if (!loaded) co_return std::unexpected(loaded.error());
  co_return read_allowance(*loaded);
}

}  // namespace otpd::otp
