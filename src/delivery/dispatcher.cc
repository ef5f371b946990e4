#include "delivery/dispatcher.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <deque>
#include <set>

namespace otpd::delivery {
namespace {

constexpr Millis k_longest_block{60'000};  // shown to a caller whose route is switched off

}  // namespace

// The tries of one message. Shared with those that are still running when it is decided.
struct Dispatcher::Race {
  Race(Executor executor, std::shared_ptr<const Message> sent, Millis life)
      : news(executor), message(std::move(sent)), left(life) {}
  struct Finished {
    Lane* lane;
    Outcome outcome;
  };
  Timer news;  // cancelled when a try ends
  const std::shared_ptr<const Message> message;
  const Millis left;
  std::deque<Finished> finished;
  std::set<const Lane*> tried;
  std::size_t running = 0;
  Dispatch result;
};

// The first lane that is ready, else the first that merely errs too often, else one that is open
// but was heard lately.
Lane* Dispatcher::choose(const Order& order, const Race& race) const {
  const TimePoint now = clock_.now();
  Lane* best = nullptr;
  Standing best_standing = Standing::busy;
  for (const std::string_view name : order) {
    Lane& lane = *lanes_.find(name)->second;
    if (race.tried.contains(&lane)) continue;
    const Standing standing = lane.standing(now);
    if (standing >= best_standing) continue;
    best = &lane;
    best_standing = standing;
  }
  return best;
}

Millis Dispatcher::shortest_wait(const Order& order) const {
  const TimePoint now = clock_.now();
  Millis shortest = k_longest_block;
  for (const std::string_view name : order) {
    const Lane& lane = *lanes_.find(name)->second;
    if (lane.standing(now) == Standing::disabled) continue;
    shortest = std::min(shortest, lane.wait(now));
  }
  return shortest;
}

// Why better lanes were passed over, for who asks later.
void Dispatcher::note_skipped(const Order& order, Race& race) const {
  const TimePoint now = clock_.now();
  for (const std::string_view name : order) {
    const Lane& lane = *lanes_.find(name)->second;
    const Standing standing = lane.standing(now);
    if (standing == Standing::open) {
      race.result.failed.push_back({lane.name(), "circuit open"});
    } else if (standing == Standing::disabled) {
      race.result.failed.push_back({lane.name(), "disabled"});
    } else if (standing == Standing::busy) {
      race.result.failed.push_back({lane.name(), "busy"});
    }
  }
}

void Dispatcher::start(const std::shared_ptr<Race>& race, Lane& lane) {
  race->tried.insert(&lane);
  ++race->running;
  ++on_their_way_;
  boost::asio::co_spawn(race->news.get_executor(), run(race, lane), boost::asio::detached);
}

Task<void> Dispatcher::run(std::shared_ptr<Race> race, Lane& lane) {
  Outcome outcome = co_await lane.attempt(*race->message, race->left, clock_);
  --race->running;
  --on_their_way_;
  race->finished.push_back({&lane, std::move(outcome)});
  race->news.cancel();
}

Task<Dispatch> Dispatcher::dispatch(std::shared_ptr<const Message> message, Millis left) {
  const Legs* legs = routes_.find(message->channel, message->to.reveal());
  auto race = std::make_shared<Race>(co_await this_executor(), std::move(message), left);
  Dispatch& result = race->result;
  if (legs == nullptr) {
    result.outcome = {.kind = Outcome::Kind::misconfigured, .reason = "no route"};
    co_return result;
  }
  const Order order = order_of(*legs, random_);
  note_skipped(order, *race);
  Lane* lane = choose(order, *race);
  if (lane == nullptr) {
    result.outcome.reason = "no lane open";
    result.wait = shortest_wait(order);
    co_return result;
  }
  start(race, *lane);
  for (;;) {
    if (race->finished.empty()) {
      const auto hedge = lane == nullptr ? std::nullopt : lane->hedge_after(clock_.now());
      race->news.expires_after(hedge.value_or(left + std::chrono::hours(1)));
      boost::system::error_code woken;
      co_await race->news.async_wait(boost::asio::redirect_error(use_task, woken));
    }
    if (race->finished.empty()) {
      lane = choose(order, *race);
      if (lane != nullptr) start(race, *lane);
      continue;
    }
    Race::Finished done = std::move(race->finished.front());
    race->finished.pop_front();
    const bool decided = done.outcome.kind == Outcome::Kind::accepted ||
                         done.outcome.kind == Outcome::Kind::rejected;
    if (!decided) result.failed.push_back({done.lane->name(), done.outcome.reason});
    result.outcome = std::move(done.outcome);
    result.lane = done.lane->name();
    if (decided) co_return result;
    if (race->running == 0 && race->finished.empty()) {
      lane = choose(order, *race);
      if (lane == nullptr) co_return result;
      start(race, *lane);
    }
  }
}

std::optional<Millis> Dispatcher::unavailable_for(std::string_view channel,
                                                  std::string_view address) const {
  const Legs* legs = routes_.find(channel, address);
  if (legs == nullptr || legs->empty()) return std::nullopt;
  const TimePoint now = clock_.now();
  std::optional<Millis> shortest;
  for (const Leg& leg : *legs) {
    const auto until = lanes_.find(leg.lane)->second->blocked_until(now);
    if (!until) return std::nullopt;
    const Millis wait = *until - now < k_longest_block ? *until - now : k_longest_block;
    shortest = shortest ? std::min(*shortest, wait) : wait;
  }
  return shortest;
}

}  // namespace otpd::delivery
