// update: the one loop of load, decide, commit. Nothing else retries a conflict.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "otp/state.h"
#include "otp/store.h"

namespace otpd::otp {

// What a rule decided on one state.
template <class Out>
struct Decision {
  Out out;                 // the answer, once the decision is written
  bool changed = false;    // whether the state is to be written
  bool erase = false;      // written as "no record"
  TimePoint expires_at{};  // when the store may forget the record
  Effects effects{};       // written with the state, or alone if it did not change
};

// How often a decision is taken anew because another request was faster. Every conflict is some
// other request's success, so this is only reached by more racers than a record can have.
inline constexpr int k_max_conflicts = 1'000;

// A hint for a record that is probably not there yet, such as the limit of an address seen for the
// first time: it spares the store a question. If there is a record after all, the commit conflicts
// and update() loads it. Only for rules that change every empty state: the answer of one that does
// not would rest on the guess alone.
inline Record probably_none(Store& store, const Key& key) {
  return store.recall(key).value_or(Record{});
}

// Loads the record, lets `rule(state, now) -> Decision<Out>` change it, and commits state and
// effects in one step; on a conflict it starts again with what is stored by then, so a rule may
// run several times and must have no effect of its own. `hint` is a record that was just loaded, or
// probably_none().
// A rule gets an empty state where there is no record. Fails as the store does, or with
// Failure::corrupt.
template <class State, class Out, class Rule>
Task<Result<Out>> update(Store& store, const Clock& clock, Key key, Rule rule,
                         std::optional<Record> hint = std::nullopt) {
  for (int conflicts = 0; conflicts < k_max_conflicts; ++conflicts) {
    if (!hint) {
      auto loaded = co_await store.load(key);
      if (!loaded) co_return std::unexpected(loaded.error());
      hint = std::move(*loaded);
    }
    State state{};
    if (hint->version != 0) {
      auto decoded = decode<State>(hint->bytes);
      if (!decoded) co_return std::unexpected(decoded.error());
      state = std::move(*decoded);
    }
    const TimePoint now = clock.now();
    Decision<Out> decision = rule(state, now);
    if (!decision.changed) {
      if (!decision.effects.events.empty() || !decision.effects.finish.empty()) {
        auto appended = co_await store.append(std::move(decision.effects));
        if (!appended) co_return std::unexpected(appended.error());
      }
      co_return std::move(decision.out);
    }
    auto committed =
        co_await store.commit(key, hint->version, decision.erase ? std::string() : encode(state),
                              decision.expires_at, std::move(decision.effects));
    if (!committed) co_return std::unexpected(committed.error());
    if (*committed == CommitResult::done) co_return std::move(decision.out);
    hint.reset();
  }
  co_return fail(Failure::overloaded, "too many requests for one record at once");
}

}  // namespace otpd::otp
