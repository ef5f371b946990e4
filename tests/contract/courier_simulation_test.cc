// The whole delivery side in virtual time on one thread: two workers of which one dies, carriers
// that refuse, stall and lose answers, a store that fails, receipts that come twice, late and out
// of order. Every seed is a world of its own; OTPD_SIMULATION_SEED replays one.
#include <cstdlib>
#include <map>
#include <set>

#include "base/encoding.h"
#include "carrier.h"
#include "delivery/courier.h"
#include "delivery/receipt_desk.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {
namespace {

using delivery::Outcome;
using delivery::Receipt;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int k_seeds = 200;
#else
constexpr int k_seeds = 2'000;
#endif
#endif
constexpr int k_worlds_at_once = 25;
constexpr int k_sends = 8;
constexpr Millis k_step{500};  // of virtual time, each time that nothing is due
constexpr Seconds k_lifetime{20};
constexpr const char* k_from_receipt = "receipt";

class Simulation {
 public:
  Simulation(boost::asio::io_context& loop, std::uint64_t seed)
      : loop_(loop), dice_(seed), house_({"memory", storage::open_memory_backend}, {1, 8}) {
    house_.rules.policies["login"].lifetime = k_lifetime;
    house_.store.script = [this](Operation, const otp::Key&, const otp::Effects&) {
      return fault();
    };
    shared_ = roll(2) == 0;
    death_ = now() + Millis(static_cast<std::int64_t>(roll(20'000)));
    for (auto& worker : workers_) worker = std::make_unique<Worker>(*this);
  }

  Task<void> run() {
    for (const auto& worker : workers_) {
      boost::asio::co_spawn(loop_.get_executor(), worker->run(), boost::asio::detached);
    }
    for (int i = 0; i < k_sends; ++i) {
      co_await send("+1415600" + std::to_string(1'000 + i));
      co_await let_time_pass(Millis(static_cast<std::int64_t>(roll(3'000))));
    }
    // All codes expire, and every lease runs out twice.
    co_await let_time_pass(k_lifetime + 2 * config_.lease);
    faults_ = false;
    co_await let_time_pass(2 * config_.lease);
    for (const auto& worker : workers_) worker->courier.stop();
    while (!workers_[0]->ended || !workers_[1]->ended || receipts_ > 0) {
      co_await boost::asio::post(loop_.get_executor(), use_task);
    }
  }

  void check() {
    const auto stats = house_.world.stats();
    EXPECT_EQ(stats.waiting + stats.leased, 0U);
    std::map<std::string, int> sent, failed, delivered, undelivered;
    for (const auto& line : house_.events(type::k_sent)) ++sent[line.verification_id];
    for (const auto& line : house_.events(type::k_delivered)) ++delivered[line.verification_id];
    for (const auto& line : house_.events(type::k_delivery_failed)) {
      ++(line.detail == k_from_receipt ? undelivered : failed)[line.verification_id];
      EXPECT_FALSE(line.detail.empty());
    }
    for (const auto& line : house_.events(type::k_send)) {
      const std::string& id = line.verification_id;
      EXPECT_EQ(sent[id] + failed[id], 1) << "ends exactly once";
      EXPECT_LE(delivered[id] + undelivered[id], sent[id]) << "at most one receipt counts";
      using State = otp::DeliveryState;
      const State expected = delivered[id] == 1                        ? State::delivered
                             : undelivered[id] == 1 || failed[id] == 1 ? State::failed
                                                                       : State::sent;
      EXPECT_EQ(house_.find(*otp::VerificationId::parse(id))->delivery, expected);
    }
    for (const auto& [job, times] : accepted_) {
      EXPECT_LE(times, lost_.contains(job) ? 2 : 1) << "sent twice though the yes was written";
      EXPECT_EQ(texts_[job].size(), 1U) << "another code for the same message";
    }
    for (const auto& worker : workers_) worker->check();
  }

 private:
  struct Worker {
    explicit Worker(Simulation& s)
        : sim(s),
          store(s.house_.world.store()),
          queue(s.house_.world.queue(), s.house_.world.clock),
          lanes(s.house_.world.clock, s.house_.random, s.house_.world.metrics),
          courier({store, queue, s.house_.world.clock, s.house_.random, s.house_.keys,
                   s.house_.world.metrics},
                  s.config_,
                  {{"default", {s.templates_, lanes.dispatcher, s.house_.issuer.caps()}}}) {
      queue.pause = Millis(0);
      queue.closed = [this] { return dead(); };
      store.script = [this](Operation, const otp::Key&, const otp::Effects&) {
        return dead() ? Fault::before : sim.fault();
      };
      for (const auto& [name, carrier] :
           {std::pair("first", &first), std::pair("second", &second)}) {
        carrier->behave = [this, name, carrier](std::size_t, Millis timeout) {
          return sim.answer(*this, name, *carrier, timeout);
        };
        lanes.add(*carrier, {.name = name,
                             .timeout = Seconds(3),
                             .in_flight = 1 + static_cast<std::uint32_t>(sim.roll(4)),
                             .breaker = {.open_failures = 3, .open_for = Seconds(1)}});
      }
      lanes.routes.add("sms", "",
                       {{"first", sim.shared_ ? 70U : 0U}, {"second", sim.shared_ ? 30U : 0U}});
    }
    Task<void> run() {
      co_await courier.run();
      ended = true;
    }
    // The first worker dies: nothing that it writes from then on arrives.
    bool dead() const { return this == sim.workers_[0].get() && sim.now() >= sim.death_; }
    void check() const {
      for (const ScriptedCarrier* carrier : {&first, &second}) {
        for (const auto& seen : carrier->seen) {
          EXPECT_GT(seen.valid_for, Millis(0)) << "sent at or after its expiry";
          EXPECT_LE(seen.timeout, seen.valid_for);
        }
        EXPECT_LE(carrier->most_at_once, sim.config_.in_flight);
      }
    }

    Simulation& sim;
    FaultyStore store;
    EagerQueue queue;
    ScriptedCarrier first{sim.house_.world.clock};
    ScriptedCarrier second{sim.house_.world.clock};
    TestLanes lanes;
    delivery::Courier courier;
    bool ended = false;
  };

  std::uint64_t roll(std::uint64_t sides) { return dice_.u64() % sides; }
  TimePoint now() const { return house_.world.clock.now(); }
  Fault fault() {
    return !faults_ || roll(100) >= 15 ? Fault::none : roll(2) == 0 ? Fault::before : Fault::after;
  }

  // A send; one whose answer was lost may have been accepted or not.
  Task<void> send(std::string phone) {
    const auto outcome = co_await house_.issuer.send(house_.send_request(phone));
    const auto* sent = outcome ? std::get_if<otp::Sent>(&*outcome) : nullptr;
    if (sent != nullptr && roll(10) == 0) {
      (void)co_await house_.verifications.cancel(sent->answer.verification_id, k_ip);
    }
  }

  // The clock moves in steps, and everybody else may go on in between.
  Task<void> let_time_pass(Millis span) {
    for (const TimePoint end = now() + span; now() < end;) {
      house_.world.clock.advance(std::min(k_step, end - now()));
      for (int i = 0; i < 24; ++i) co_await boost::asio::post(loop_.get_executor(), use_task);
    }
  }
  Task<void> wait(Millis span) {
    for (const TimePoint end = now() + span; now() < end;) {
      co_await boost::asio::post(loop_.get_executor(), use_task);
    }
  }

  Task<Outcome> answer(Worker& worker, std::string lane, const ScriptedCarrier& carrier,
                       Millis timeout) {
    const ScriptedCarrier::Seen seen = carrier.seen.back();
    const std::uint64_t how = roll(100);
    const Millis takes = how < 60 ? Millis(0) : Millis(static_cast<std::int64_t>(roll(3'500)));
    co_await wait(std::min(takes, timeout));
    if (how >= 90) co_return outcome_of(Kind::transient, "timeout");
    if (how >= 85) co_return outcome_of(Kind::rejected, "rejected");
    if (how >= 75) co_return outcome_of(Kind::throttled, "429", Millis(3'000));
    if (how >= 70) co_return outcome_of(Kind::misconfigured, "401");
    if (how >= 40 && how < 60) co_return outcome_of(Kind::transient, "500");
    ++accepted_[seen.job_id];
    texts_[seen.job_id].insert(seen.text);
    // What a worker is told at or after its death it cannot write: up to a step before, too,
    // because its write may come a step later.
    if (&worker == workers_[0].get() && now() + 4 * k_step >= death_) lost_.insert(seen.job_id);
    Outcome yes = outcome_of(Kind::accepted);
    yes.message_id = seen.job_id + "-" + std::to_string(accepted_[seen.job_id]);
    for (std::uint64_t i = roll(3); i > 0; --i) report(lane, yes.message_id, seen.reference);
    co_return yes;
  }

  // A receipt, some time later; the reference is what the callback URL carried.
  void report(const std::string& lane, const std::string& message_id,
              const std::string& reference) {
    ++receipts_;
    const bool good = roll(4) != 0;
    const Millis later(static_cast<std::int64_t>(roll(8'000)));
    auto tell = [](Simulation& self, std::string by, std::string about, Receipt receipt,
                   Millis when) -> Task<void> {
      co_await self.wait(when);
      (void)co_await self.desk_.take(by, about, std::move(receipt));
      --self.receipts_;
    };
    const auto state = good ? Receipt::State::delivered : Receipt::State::failed;
    boost::asio::co_spawn(loop_.get_executor(),
                          tell(*this, lane, reference, {state, message_id, k_from_receipt}, later),
                          boost::asio::detached);
  }

  boost::asio::io_context& loop_;
  SeededRandom dice_;
  House house_;
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  const delivery::CourierConfig config_{
      .in_flight = 1 + roll(4), .lease = Seconds(10), .trouble_pause = Millis(0)};
  delivery::ReceiptDesk desk_{
      {house_.store, house_.world.clock, house_.random, house_.keys, house_.world.metrics},
      {.looks = 1}};
  std::map<std::string, int> accepted_;                 // by job: how often a carrier said yes
  std::map<std::string, std::set<std::string>> texts_;  // by job: what was said
  std::set<std::string> lost_;                          // jobs whose yes may not have been written
  TimePoint death_;
  bool shared_ = false;
  bool faults_ = true;
  int receipts_ = 0;
  std::unique_ptr<Worker> workers_[2];
};

void simulate(std::uint64_t first, int count) {
  boost::asio::io_context loop;
  std::vector<std::unique_ptr<Simulation>> worlds;
  for (int i = 0; i < count; ++i) {
    worlds.push_back(std::make_unique<Simulation>(loop, first + static_cast<std::uint64_t>(i)));
    boost::asio::co_spawn(loop.get_executor(), worlds.back()->run(), boost::asio::detached);
  }
  loop.run_for(std::chrono::minutes(2));
  for (int i = 0; i < count; ++i) {
    SCOPED_TRACE("OTPD_SIMULATION_SEED=" + std::to_string(first + static_cast<std::uint64_t>(i)));
    worlds[static_cast<std::size_t>(i)]->check();
  }
}

TEST(CourierSimulation, EveryAcceptedSendEndsExactlyOnce) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  if (const char* seed = std::getenv("OTPD_SIMULATION_SEED")) {
    simulate(std::strtoull(seed, nullptr, 10), 1);
    return;
  }
  for (int first = 0; first < k_seeds; first += k_worlds_at_once) {
    simulate(static_cast<std::uint64_t>(first), k_worlds_at_once);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace otpd::usecase
