// A carrier that does as it is told, and a queue that looks often: what a courier is tested with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/provider.h"
#include "delivery/queue.h"

namespace otpd::usecase {

using Kind = delivery::Outcome::Kind;

inline delivery::Outcome outcome_of(Kind kind, std::string reason = "reason",
                                    std::optional<Millis> retry_after = {}) {
  return {kind, kind == Kind::accepted ? "message-1" : "", std::move(reason), retry_after};
}

class ScriptedCarrier final : public delivery::Provider {
 public:
  // One try, as the carrier saw it.
  struct Seen {
    std::string job_id;
    std::string to;
    std::string text;
    Millis valid_for;
    Millis timeout;
    TimePoint at;
    std::string reference;
  };
  using Behaviour = std::function<Task<delivery::Outcome>(std::size_t number, Millis timeout)>;

  explicit ScriptedCarrier(const Clock& clock) : clock_(clock) {}

  // How the n-th try (from 1) goes; accepted, unless told otherwise.
  Behaviour behave;

  // The outcomes of the first tries, in order; the rest is accepted.
  void answer_with(std::vector<delivery::Outcome> outcomes) {
    behave = [outcomes](std::size_t number, Millis) -> Task<delivery::Outcome> {
      co_return number <= outcomes.size() ? outcomes[number - 1] : outcome_of(Kind::accepted);
    };
  }

  Task<delivery::Outcome> send(const delivery::Message& message, Millis timeout) override {
    seen.push_back({message.job_id, std::string(message.to.reveal()),
                    std::string(message.text.reveal()), message.valid_for, timeout, clock_.now(),
                    message.reference});
    most_at_once = std::max(most_at_once, ++running_);
    delivery::Outcome outcome = outcome_of(Kind::accepted);
    if (behave) outcome = co_await behave(seen.size(), timeout);
    --running_;
    co_return outcome;
  }

  bool receipts_by_message_id() const override { return by_message_id; }

  std::vector<Seen> seen;
  std::size_t most_at_once = 0;
  bool by_message_id = false;

 private:
  const Clock& clock_;
  std::size_t running_ = 0;
};

// Looks every few milliseconds, so that a virtual clock that was moved is soon noticed.
class EagerQueue final : public delivery::Queue {
 public:
  EagerQueue(delivery::Queue& behind, const Clock& clock) : behind_(behind), clock_(clock) {}

  Task<Result<std::vector<delivery::Job>>> take(TimePoint, Millis lease, std::size_t max,
                                                Millis) override {
    Result<std::vector<delivery::Job>> jobs;
    if (!closed || !closed()) jobs = co_await behind_.take(clock_.now(), lease, max, Millis(0));
    ++looks;
    if (jobs) taken += jobs->size();
    if (jobs && jobs->empty()) co_await sleep_for(pause);
    co_return jobs;
  }
  Task<Result<delivery::QueueStats>> stats(TimePoint now) override {
    co_return co_await behind_.stats(now);
  }
  Task<Result<std::vector<delivery::DeadLetter>>> dead_letters(std::size_t max) override {
    co_return co_await behind_.dead_letters(max);
  }
  Task<Result<bool>> requeue(std::string id, TimePoint now) override {
    co_return co_await behind_.requeue(std::move(id), now);
  }

  Millis pause{2};
  std::function<bool()> closed;  // gives nothing while it says so
  std::size_t looks = 0;         // that have ended
  std::size_t taken = 0;

 private:
  delivery::Queue& behind_;
  const Clock& clock_;
};

}  // namespace otpd::usecase
