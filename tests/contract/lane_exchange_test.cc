// What one worker finds out about a carrier, the others know, too.
#include "delivery/lane_exchange.h"

#include "delivery/lane_board.h"
#include "house.h"
#include "lanes.h"

namespace otpd::usecase {
namespace {

using delivery::BreakerState;
using delivery::Standing;

// A board as all processes see it; `at` picks the one that asks.
class SharedBoard {
 public:
  class Seat final : public delivery::HealthBoard {
   public:
    Seat(SharedBoard& board, int process) : board_(board), process_(process) {}
    Task<Result<Posted>> exchange(std::vector<delivery::LaneNews> mine) override {
      if (board_.away) co_return fail(Failure::unavailable, "scripted");
      board_.said_[process_] = delivery::encode_news(mine);
      Posted posted{.news = {}, .disabled = board_.disabled_};
      for (const auto& [process, said] : board_.said_) {
        if (process == process_) continue;
        const auto news = delivery::decode_news(said).value();
        posted.news.insert(posted.news.end(), news.begin(), news.end());
      }
      co_return posted;
    }
    Task<Result<void>> set_disabled(std::string lane, bool disabled) override {
      if (disabled) {
        board_.disabled_.insert(lane);
      } else {
        board_.disabled_.erase(lane);
      }
      co_return Result<void>();
    }

   private:
    SharedBoard& board_;
    int process_;
  };
  bool away = false;

 private:
  std::map<int, std::string> said_;
  std::set<std::string> disabled_;
};

// A process with one lane to its own connection with the carrier.
struct Worker {
  Worker(SharedBoard& board, int number, const Clock& clock)
      : carrier(clock),
        lanes(clock, random, metrics),
        lane(lanes.add(carrier, {.name = "carrier",
                                 .breaker = {.open_failures = 3, .open_for = Millis(5'000)}})),
        seat(board, number),
        exchange(seat, lanes.lanes, clock) {}

  void attempt(Kind kind, const Clock& clock) {
    carrier.answer_with(
        {std::vector<delivery::Outcome>(carrier.seen.size() + 1, outcome_of(kind))});
    delivery::Message message;
    storage::await(lane.attempt(message, Millis(1'000), clock));
  }
  bool talk() { return storage::await(exchange.exchange()).has_value(); }

  SeededRandom random{1};
  Metrics metrics;
  ScriptedCarrier carrier;
  TestLanes lanes;
  delivery::Lane& lane;
  SharedBoard::Seat seat;
  delivery::LaneExchange exchange;
};

class LaneExchange : public ::testing::Test {
 protected:
  Standing standing(Worker& worker) { return worker.lane.standing(clock_.now()); }
  void break_carrier_of(Worker& worker) {
    for (int i = 0; i < 3; ++i) worker.attempt(Kind::transient, clock_);
  }
  void all_talk() {
    for (int round = 0; round < 2; ++round) {
      for (Worker* worker : {&one_, &two_, &api_}) EXPECT_EQ(worker->talk(), !board_.away);
    }
  }

  VirtualClock clock_{storage::k_start};
  SharedBoard board_;
  Worker one_{board_, 1, clock_}, two_{board_, 2, clock_}, api_{board_, 3, clock_};
};

TEST_F(LaneExchange, ACircuitThatOneOpenedIsOpenForAll) {
  break_carrier_of(one_);
  EXPECT_EQ(standing(two_), Standing::ready);
  all_talk();
  EXPECT_EQ(standing(two_), Standing::open);
  EXPECT_EQ(standing(api_), Standing::open);
  EXPECT_TRUE(api_.lane.blocked_until(clock_.now()));
  const auto report = api_.lane.report(clock_.now());
  EXPECT_EQ(report.breaker, BreakerState::open);
  EXPECT_EQ(report.reason, "failures in a row");
  EXPECT_EQ(report.until, clock_.now() + Millis(5'000));
  EXPECT_EQ(report.health.failed, 3U);
}

TEST_F(LaneExchange, WhileOthersGetAnswersItIsTheLastResort) {
  two_.attempt(Kind::accepted, clock_);
  break_carrier_of(one_);
  all_talk();
  EXPECT_EQ(standing(two_), Standing::failing);
  EXPECT_FALSE(api_.lane.blocked_until(clock_.now()));
}

// It stays open for the others until the probes of the one who opened it have closed it.
TEST_F(LaneExchange, ItClosesForAllWhenTheProbesHavePassed) {
  break_carrier_of(one_);
  all_talk();
  clock_.advance(Millis(5'001));
  all_talk();
  EXPECT_EQ(standing(one_), Standing::ready);  // half open: it may probe
  EXPECT_EQ(standing(two_), Standing::open);
  for (int i = 0; i < 3; ++i) one_.attempt(Kind::accepted, clock_);
  all_talk();
  EXPECT_EQ(standing(two_), Standing::ready);
  EXPECT_FALSE(api_.lane.blocked_until(clock_.now()));
}

TEST_F(LaneExchange, HearsayIsNotPassedOn) {
  break_carrier_of(one_);
  all_talk();
  EXPECT_FALSE(two_.lane.news(clock_.now()).open);
}

TEST_F(LaneExchange, WithoutTheBoardEverybodyJudgesForHimself) {
  break_carrier_of(one_);
  all_talk();
  board_.away = true;
  all_talk();
  EXPECT_EQ(standing(one_), Standing::open);
  EXPECT_EQ(standing(two_), Standing::ready);
}

TEST_F(LaneExchange, AnOperatorsSwitchHoldsEverywhere) {
  boost::asio::io_context loop;
  delivery::LaneBoard board(loop, api_.lanes.lanes, clock_, &api_.seat);
  std::optional<Result<bool>> switched;
  storage::start(loop, board.set_disabled("carrier", true), switched);
  loop.run();
  all_talk();
  EXPECT_EQ(standing(one_), Standing::disabled);
  EXPECT_EQ(standing(two_), Standing::disabled);
  loop.restart();
  storage::start(loop, board.set_disabled("carrier", false), switched);
  loop.run();
  all_talk();
  EXPECT_EQ(standing(one_), Standing::ready);
}

}  // namespace
}  // namespace otpd::usecase
