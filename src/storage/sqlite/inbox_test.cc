#include "storage/sqlite/inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace otpd::storage::sqlite {
namespace {

using Ints = Inbox<int>;

Ints::Put put(Ints& inbox, int value) {
  return inbox.put(value);
}

TEST(Inbox, GivesBatchesInOrder) {
  Ints inbox(10);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(put(inbox, i), Ints::Put::accepted);
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 3));
  EXPECT_EQ(batch, (std::vector{0, 1, 2}));
  EXPECT_TRUE(inbox.take(batch, 3));
  EXPECT_EQ(batch, (std::vector{3, 4}));
}

TEST(Inbox, RefusesBeyondItsLimit) {
  Ints inbox(2);
  put(inbox, 1);
  put(inbox, 2);
  EXPECT_EQ(put(inbox, 3), Ints::Put::full);
  EXPECT_EQ(inbox.size(), 2U);
}

TEST(Inbox, AClosedOneIsEmptiedAndThenEnds) {
  Ints inbox(10);
  put(inbox, 1);
  put(inbox, 2);
  inbox.close();
  EXPECT_EQ(put(inbox, 3), Ints::Put::closed);
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 1));
  EXPECT_TRUE(inbox.take(batch, 1));
  EXPECT_EQ(batch, std::vector{2});
  EXPECT_FALSE(inbox.take(batch, 1));
}

TEST(Inbox, ANudgeEndsOneTake) {
  Ints inbox(10);
  inbox.nudge();
  std::vector<int> batch = {7};
  EXPECT_TRUE(inbox.take(batch, 1));
  EXPECT_TRUE(batch.empty());
}

using Steady = std::chrono::steady_clock;

TEST(Inbox, APacedTakeLetsItemsGather) {
  Ints inbox(10);
  put(inbox, 1);
  const auto not_before = Steady::now() + std::chrono::milliseconds(30);
  std::thread later([&] { put(inbox, 2); });
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 10, {not_before, 5}));
  EXPECT_GE(Steady::now(), not_before);
  later.join();
  EXPECT_EQ(batch, (std::vector{1, 2}));
}

TEST(Inbox, APacedTakeGoesWithEnough) {
  Ints inbox(10);
  put(inbox, 1);
  std::thread later([&] {
    put(inbox, 2);
    put(inbox, 3);
  });
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 10, {Steady::now() + std::chrono::hours(1), 3}));
  later.join();
  EXPECT_EQ(batch, (std::vector{1, 2, 3}));
}

TEST(Inbox, APacedTakeIsOnTimeAfterARest) {
  Ints inbox(10);
  put(inbox, 1);
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 10, {Steady::now() - std::chrono::seconds(1), 5}));
  EXPECT_EQ(batch, std::vector{1});
}

TEST(Inbox, ClosingEndsAPacedTake) {
  Ints inbox(10);
  put(inbox, 1);
  std::thread later([&] { inbox.close(); });
  std::vector<int> batch;
  EXPECT_TRUE(inbox.take(batch, 10, {Steady::now() + std::chrono::hours(1), 5}));
  EXPECT_EQ(batch, std::vector{1});
  EXPECT_FALSE(inbox.take(batch, 10, {Steady::now() + std::chrono::hours(1), 5}));
  later.join();
}

TEST(Inbox, ManyPuttersLoseNothing) {
  constexpr int k_putters = 4;
  constexpr int k_each = 5'000;
  Ints inbox(64);
  std::vector<std::thread> putters;
  for (int p = 0; p < k_putters; ++p) {
    putters.emplace_back([&] {
      for (int i = 0; i < k_each; ++i) {
        while (put(inbox, 1) != Ints::Put::accepted) std::this_thread::yield();
      }
    });
  }
  int sum = 0;
  std::vector<int> batch;
  while (sum < k_putters * k_each && inbox.take(batch, 16)) sum += static_cast<int>(batch.size());
  for (std::thread& putter : putters) putter.join();
  EXPECT_EQ(sum, k_putters * k_each);
}

}  // namespace
}  // namespace otpd::storage::sqlite
