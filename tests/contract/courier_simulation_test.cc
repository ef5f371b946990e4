// A small simulation: hundreds of seeds, each a world of its own in virtual time with a carrier
// and a store that fail at random. Whatever happens, every accepted send ends exactly once.
#include <map>

#include "base/encoding.h"
#include "carrier.h"
#include "delivery/courier.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {
namespace {

using delivery::Outcome;

constexpr int k_seeds = 200;
constexpr int k_worlds_at_once = 25;
constexpr int k_sends = 8;
constexpr Millis k_step{500};  // of virtual time, each time that nothing is due
constexpr Seconds k_lifetime{20};

class Simulation {
 public:
  Simulation(boost::asio::io_context& loop, std::uint64_t seed)
      : loop_(loop), dice_(seed), house_({"memory", storage::open_memory_backend}, {1, 8}) {
    house_.rules.policies["login"].lifetime = k_lifetime;
    queue_.pause = Millis(0);
    for (const auto& [name, carrier] :
         {std::pair("first", &carrier_), std::pair("second", &spare_)}) {
      carrier->behave = [this, carrier](std::size_t, Millis timeout) {
        return answer(*carrier, timeout);
      };
      lanes_.add(*carrier, {.name = name,
                            .timeout = Seconds(3),
                            .in_flight = 1 + static_cast<std::uint32_t>(roll(4)),
                            .breaker = {.open_failures = 3, .open_for = Seconds(1)}});
    }
    const bool shared = roll(2) == 0;
    lanes_.routes.add("sms", "", {{"first", shared ? 70U : 0U}, {"second", shared ? 30U : 0U}});
    house_.store.script = [this](Operation, const otp::Key&, const otp::Effects&) {
      return !faults_ || roll(100) >= 15 ? Fault::none
             : roll(2) == 0              ? Fault::before
                                         : Fault::after;
    };
  }

  Task<void> run() {
    auto deliver = [](Simulation& self) -> Task<void> {
      co_await self.courier_.run();
      self.ended_ = true;
    };
    boost::asio::co_spawn(loop_.get_executor(), deliver(*this), boost::asio::detached);
    for (int i = 0; i < k_sends; ++i) {
      co_await send("+1415600" + std::to_string(1'000 + i));
      co_await let_time_pass(Millis(static_cast<std::int64_t>(roll(3'000))));
    }
    // All codes expire, and every lease runs out twice.
    co_await let_time_pass(k_lifetime + 2 * config_.lease);
    faults_ = false;
    co_await let_time_pass(2 * config_.lease);
    courier_.stop();
    while (!ended_) co_await boost::asio::post(loop_.get_executor(), use_task);
  }

  void check() {
    const auto stats = house_.world.stats();
    EXPECT_EQ(stats.waiting + stats.leased, 0U);
    std::map<std::string, int> sent;
    std::map<std::string, int> failed;
    for (const auto& line : house_.events(type::k_sent)) ++sent[line.verification_id];
    for (const auto& line : house_.events(type::k_delivery_failed)) {
      ++failed[line.verification_id];
      EXPECT_FALSE(line.detail.empty());
    }
    const auto sends = house_.events(type::k_send);
    for (const auto& line : sends) {
      EXPECT_EQ(sent[line.verification_id] + failed[line.verification_id], 1);
      const auto id = otp::VerificationId::parse(line.verification_id);
      const auto found = house_.find(*id);
      EXPECT_EQ(found->delivery, sent[line.verification_id] == 1 ? otp::DeliveryState::sent
                                                                 : otp::DeliveryState::failed);
    }
    EXPECT_EQ(accepted_.size(), house_.events(type::k_sent).size());
    for (const auto& [job, times] : accepted_) EXPECT_EQ(times, 1) << "a message was sent twice";
    for (const ScriptedCarrier* carrier : {&carrier_, &spare_}) {
      for (const auto& seen : carrier->seen) {
        EXPECT_GT(seen.valid_for, Millis(0)) << "sent at or after its expiry";
        EXPECT_LE(seen.timeout, seen.valid_for);
      }
      EXPECT_LE(carrier->most_at_once, config_.in_flight);
    }
  }

 private:
  std::uint64_t roll(std::uint64_t sides) { return dice_.u64() % sides; }
  TimePoint now() const { return house_.world.clock.now(); }

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
      for (int i = 0; i < 16; ++i) co_await boost::asio::post(loop_.get_executor(), use_task);
    }
  }

  Task<Outcome> answer(const ScriptedCarrier& carrier, Millis timeout) {
    const std::string job = carrier.seen.back().job_id;
    const std::uint64_t how = roll(100);
    const Millis takes = how < 60 ? Millis(0) : Millis(static_cast<std::int64_t>(roll(3'500)));
    const TimePoint until = now() + std::min(takes, timeout);
    while (now() < until) co_await boost::asio::post(loop_.get_executor(), use_task);
    if (how >= 90) co_return outcome_of(Kind::transient, "timeout");
    if (how >= 85) co_return outcome_of(Kind::rejected, "rejected");
    if (how >= 75) co_return outcome_of(Kind::throttled, "429", Millis(3'000));
    if (how >= 70) co_return outcome_of(Kind::misconfigured, "401");
    if (how >= 40 && how < 60) co_return outcome_of(Kind::transient, "500");
    ++accepted_[job];
    co_return outcome_of(Kind::accepted);
  }

  boost::asio::io_context& loop_;
  SeededRandom dice_;
  House house_;
  EagerQueue queue_{house_.world.queue(), house_.world.clock};
  ScriptedCarrier carrier_{house_.world.clock};
  ScriptedCarrier spare_{house_.world.clock};
  delivery::Templates templates_ = delivery::Templates::make({}).value();
  TestLanes lanes_{house_.world.clock, house_.random, house_.world.metrics};
  const delivery::CourierConfig config_{
      .in_flight = 1 + roll(4), .lease = Seconds(10), .trouble_pause = Millis(0)};
  delivery::Courier courier_{{house_.store, queue_, house_.world.clock, house_.random, house_.keys,
                              templates_, lanes_.dispatcher, house_.world.metrics},
                             config_};
  std::map<std::string, int> accepted_;  // by job: how often the carrier said yes
  bool faults_ = true;
  bool ended_ = false;
};

TEST(CourierSimulation, EveryAcceptedSendEndsExactlyOnce) {
  for (int first = 0; first < k_seeds; first += k_worlds_at_once) {
    boost::asio::io_context loop;
    std::vector<std::unique_ptr<Simulation>> worlds;
    for (int i = 0; i < k_worlds_at_once; ++i) {
      worlds.push_back(std::make_unique<Simulation>(loop, static_cast<std::uint64_t>(first + i)));
      boost::asio::co_spawn(loop.get_executor(), worlds.back()->run(), boost::asio::detached);
    }
    loop.run_for(std::chrono::minutes(2));
    for (int i = 0; i < k_worlds_at_once; ++i) {
      SCOPED_TRACE("seed " + std::to_string(first + i));
      worlds[static_cast<std::size_t>(i)]->check();
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace otpd::usecase
