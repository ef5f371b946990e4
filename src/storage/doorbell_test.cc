#include "storage/doorbell.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

namespace otpd::storage {
namespace {

class DoorbellTest : public ::testing::Test {
 protected:
  // Starts a wait; `waited_` counts those that ended.
  void wait(std::uint64_t seen, Millis limit) {
    auto body = [this, seen, limit]() -> Task<void> {
      co_await bell_->wait(seen, limit);
      ++waited_;
    };
    bodies_.push_back(std::make_unique<std::function<Task<void>()>>(body));
    boost::asio::co_spawn(loop_.get_executor(), (*bodies_.back())(), boost::asio::detached);
    loop_.poll();
  }

  boost::asio::io_context loop_;
  std::shared_ptr<Doorbell> bell_ = std::make_shared<Doorbell>();
  std::vector<std::unique_ptr<std::function<Task<void>()>>> bodies_;
  int waited_ = 0;
};

constexpr Millis k_long{60'000};

TEST_F(DoorbellTest, ARingWakesEverybody) {
  wait(bell_->rings(), k_long);
  wait(bell_->rings(), k_long);
  EXPECT_EQ(waited_, 0);
  std::thread([this] { bell_->ring(); }).join();
  loop_.run_for(k_long);
  EXPECT_EQ(waited_, 2);
}

TEST_F(DoorbellTest, ARingBeforeTheWaitIsNotMissed) {
  const auto seen = bell_->rings();
  bell_->ring();
  wait(seen, k_long);
  EXPECT_EQ(waited_, 1);
  wait(bell_->rings(), k_long);
  EXPECT_EQ(waited_, 1);
}

TEST_F(DoorbellTest, TheLimitEndsTheWait) {
  wait(bell_->rings(), Millis(20));
  loop_.run_for(k_long);
  EXPECT_EQ(waited_, 1);
}

TEST_F(DoorbellTest, AClosedBellLetsNobodyWait) {
  wait(bell_->rings(), k_long);
  bell_->close();
  loop_.run_for(k_long);
  EXPECT_EQ(waited_, 1);
  EXPECT_TRUE(bell_->closed());
  loop_.restart();
  wait(bell_->rings(), k_long);
  EXPECT_EQ(waited_, 2);
}

}  // namespace
}  // namespace otpd::storage
