#include "audit/pump.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <set>

namespace otpd::audit {
namespace {

// What goes wrong with one call: nothing, or before or after it took effect.
enum class Trouble : std::uint8_t { none, before, after };

using Plan = std::function<Trouble()>;

Result<void> outcome(Trouble trouble, Failure kind) {
  if (trouble == Trouble::none) return {};
  return fail(kind, "trouble");
}

class FakeStream final : public EventStream {
 public:
  explicit FakeStream(std::uint32_t partitions) : waiting_(partitions) {}

  void add(std::uint32_t partition, int number) {
    const std::string name = std::to_string(number);
    waiting_[partition].push_back({"m" + name, {.id = name, .created_at = {}}});
  }
  std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& partition : waiting_) sum += partition.size();
    return sum;
  }

  std::uint32_t partitions() const override { return static_cast<std::uint32_t>(waiting_.size()); }

  Task<Result<std::vector<Waiting>>> read(std::uint32_t partition, std::size_t max) override {
    ++reads;
    if (broken.contains(partition)) co_return fail(Failure::unavailable, "this partition is away");
    if (on_read() != Trouble::none) co_return fail(Failure::unavailable, "trouble");
    const auto& all = waiting_[partition];
    const std::size_t count = std::min(max, all.size());
    largest_read = std::max(largest_read, count);
    co_return std::vector<Waiting>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  }

  Task<Result<void>> forget(std::uint32_t partition, std::vector<std::string> marks) override {
    const Trouble trouble = on_forget();
    if (trouble != Trouble::before) {
      std::erase_if(waiting_[partition], [&](const Waiting& each) {
        return std::ranges::find(marks, each.mark) != marks.end();
      });
    }
    co_return outcome(trouble, Failure::unavailable);
  }

  Task<Result<Backlog>> backlog(TimePoint) override {
    co_return Backlog{.events = size(), .oldest = Millis(1'500)};
  }

  static Trouble no_trouble() { return Trouble::none; }
  Plan on_read = no_trouble;
  Plan on_forget = no_trouble;
  std::set<std::uint32_t> broken;
  std::size_t largest_read = 0;
  int reads = 0;

 private:
  std::vector<std::deque<Waiting>> waiting_;
};

class FakeSink final : public EventSink {
 public:
  Task<Result<void>> write(std::uint32_t chain, std::vector<Event> events) override {
    ++writes;
    co_await sleep_for(Millis(0));  // lets another pump go ahead
    const Trouble trouble = on_write();
    if (trouble != Trouble::before) {
      for (const Event& event : events) {
        if (seen_.insert(event.id).second) lines[chain].push_back(std::stoi(event.id));
      }
    }
    co_return outcome(trouble, trouble_kind);
  }

  Plan on_write = FakeStream::no_trouble;
  Failure trouble_kind = Failure::unavailable;
  std::map<std::uint32_t, std::vector<int>> lines;
  int writes = 0;

 private:
  std::set<std::string> seen_;
};

class PumpTest : public testing::Test {
 protected:
  static constexpr std::uint32_t k_partitions = 3;

  void fill(int count) {
    for (int i = 0; i < count; ++i) stream_.add(static_cast<std::uint32_t>(i) % k_partitions, i);
  }

  Result<std::uint64_t> drain() {
    Pump pump(stream_, sink_, clock_, metrics_, config_);
    boost::asio::io_context loop;
    Result<std::uint64_t> drained = fail(Failure::internal, "it never answered");
    auto body = [&]() -> Task<void> { drained = co_await pump.drain(); };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    loop.run();
    return drained;
  }

  // Every line once, each chain in order.
  void expect_complete(int count) {
    std::map<std::uint32_t, std::vector<int>> expected;
    for (int i = 0; i < count; ++i) {
      expected[static_cast<std::uint32_t>(i) % k_partitions].push_back(i);
    }
    EXPECT_EQ(sink_.lines, expected);
    EXPECT_EQ(stream_.size(), 0U);
  }

  VirtualClock clock_{TimePoint(Millis(1'800'000'000'000))};
  Metrics metrics_;
  PumpConfig config_{.batch = 4, .pause = Millis(1), .trouble_pause = Millis(2)};
  FakeStream stream_{k_partitions};
  FakeSink sink_;
};

TEST_F(PumpTest, CarriesEverythingInBoundedBatches) {
  fill(50);
  EXPECT_EQ(drain().value(), 50U);
  expect_complete(50);
  EXPECT_EQ(stream_.largest_read, config_.batch);
  EXPECT_EQ(metrics_.counter("otpd_audit_written_total", "").value(), 50);
}

TEST_F(PumpTest, AnEmptyStreamAsksTheSinkForNothing) {
  EXPECT_EQ(drain().value(), 0U);
  EXPECT_EQ(sink_.writes, 0);
}

TEST_F(PumpTest, PartitionsTakeTurns) {
  for (int i = 0; i < 40; ++i) stream_.add(0, i);
  stream_.add(2, 100);
  int first_turn = 0;
  sink_.on_write = [&] {
    if (first_turn == 0 && sink_.lines.contains(2)) first_turn = sink_.writes;
    return Trouble::none;
  };
  ASSERT_TRUE(drain().has_value());
  EXPECT_EQ(first_turn, 3) << "partition 2 had to wait for all of partition 0";
}

// Every call of either port fails once, before or after it took effect.
TEST_F(PumpTest, LosesAndDoublesNothingWhicheverStepFails) {
  constexpr int k_events = 30;
  constexpr int k_steps = 40;  // more than one drain has
  for (const Trouble trouble : {Trouble::before, Trouble::after}) {
    for (int failing = 0; failing < k_steps; ++failing) {
      stream_ = FakeStream(k_partitions);
      sink_ = FakeSink();
      int step = 0;
      auto plan = [&] { return step++ == failing ? trouble : Trouble::none; };
      stream_.on_read = stream_.on_forget = sink_.on_write = plan;
      fill(k_events);
      if (!drain()) EXPECT_TRUE(drain().has_value());
      expect_complete(k_events);
    }
  }
}

TEST_F(PumpTest, SaysThatItFailed) {
  fill(3);
  sink_.on_write = [] { return Trouble::before; };
  const auto drained = drain();
  ASSERT_FALSE(drained.has_value());
  EXPECT_EQ(drained.error().kind, Failure::unavailable);
  EXPECT_EQ(metrics_.counter("otpd_audit_failures_total", "").value(), 1);
  EXPECT_EQ(stream_.size(), 3U);
}

TEST_F(PumpTest, ASinkThatIsAwayIsAskedOnce) {
  fill(12);
  sink_.on_write = [] { return Trouble::before; };
  EXPECT_FALSE(drain().has_value());
  EXPECT_EQ(sink_.writes, 1);
}

TEST_F(PumpTest, ABatchThatTheSinkRefusesKeepsNoOtherPartitionWaiting) {
  fill(12);
  sink_.trouble_kind = Failure::invalid;
  sink_.on_write = [&] { return sink_.writes == 1 ? Trouble::before : Trouble::none; };
  EXPECT_FALSE(drain().has_value());
  EXPECT_EQ(stream_.size(), 4U);
}

TEST_F(PumpTest, APartitionThatIsAwayKeepsNoOtherWaiting) {
  fill(12);
  stream_.broken = {1};
  EXPECT_FALSE(drain().has_value());
  EXPECT_EQ(stream_.size(), 4U);
  stream_.broken.clear();
  EXPECT_EQ(drain().value(), 4U);
  expect_complete(12);
}

TEST_F(PumpTest, TwoPumpsAtOnceWriteEveryLineOnce) {
  fill(50);
  Pump first(stream_, sink_, clock_, metrics_, config_);
  Pump second(stream_, sink_, clock_, metrics_, config_);
  boost::asio::io_context loop;
  auto body = [](Pump& pump) -> Task<void> { (void)co_await pump.drain(); };
  boost::asio::co_spawn(loop.get_executor(), body(first), boost::asio::detached);
  boost::asio::co_spawn(loop.get_executor(), body(second), boost::asio::detached);
  loop.run();
  expect_complete(50);
}

TEST_F(PumpTest, RunsThroughTroubleUntilItIsStopped) {
  fill(30);
  Pump pump(stream_, sink_, clock_, metrics_, config_);
  sink_.on_write = [&] { return sink_.writes <= 3 ? Trouble::before : Trouble::none; };
  boost::asio::io_context loop;
  bool ended = false;
  auto body = [&]() -> Task<void> {
    co_await pump.run();
    ended = true;
  };
  auto stopper = [&]() -> Task<void> {
    for (int i = 0; i < 10'000 && stream_.size() > 0; ++i) co_await sleep_for(Millis(1));
    pump.stop();
  };
  boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
  boost::asio::co_spawn(loop.get_executor(), stopper(), boost::asio::detached);
  loop.run_for(std::chrono::seconds(30));
  EXPECT_TRUE(ended);
  expect_complete(30);
  const std::string exported = metrics_.render();
  EXPECT_NE(exported.find("otpd_audit_backlog_events 30"), std::string::npos);
  EXPECT_NE(exported.find("otpd_audit_backlog_seconds 1.5"), std::string::npos);
}

}  // namespace
}  // namespace otpd::audit
