// Keeping the SQLite file small: the WAL and the purge, beside commits that go on.
#include <thread>

#include "sqlite_harness.h"

namespace otpd::storage {
namespace {

using otp::CommitResult;
using Outcome = Result<CommitResult>;

TEST_F(Sqlite, TheWalIsEmptiedWhenNobodyWrites) {
  open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(await(commit(i, 500'000)).value(), CommitResult::done);
  }
  const std::string wal = config_.path + "-wal";
  EXPECT_GT(std::filesystem::file_size(wal), 0U);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::filesystem::file_size(wal) > 0 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::yield();
  }
  EXPECT_EQ(std::filesystem::file_size(wal), 0U);
  ASSERT_EQ(await(commit(100)).value(), CommitResult::done);
}

// Fills the file with 50,000 records and as many audit lines, all of them garbage by now.
void fill_with_garbage(const SqliteConfig& config) {
  const std::string numbers =
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 50000) ";
  Shell shell(config.path);
  shell.run("BEGIN");
  shell.run("INSERT INTO records (key, version, expires_at, bytes) " + numbers +
            "SELECT randomblob(17), 1, 0, zeroblob(600) FROM n");
  shell.run(
      "INSERT INTO otp_events " + numbers +
      "SELECT printf('%036d', i), '', hex(randomblob(16)), 'send', '', '', i, '', '', '', '', "
      "i, zeroblob(32), '' FROM n");
  shell.run("COMMIT");
}

TEST_F(Sqlite, AGreatPurgeLetsCommitsThrough) {
  open();
  world_.backend.reset();
  fill_with_garbage(config_);
  open();
  boost::asio::io_context loop;
  std::optional<Result<Purged>> purged;
  std::vector<std::chrono::steady_clock::duration> waits;
  auto committer = [&]() -> Task<void> {
    while (!purged) {
      const auto begin = std::chrono::steady_clock::now();
      const Outcome outcome = co_await commit(static_cast<int>(waits.size()));
      EXPECT_TRUE(outcome.has_value());
      waits.push_back(std::chrono::steady_clock::now() - begin);
    }
  };
  start(loop, world_.backend->purge(world_.clock.now()), purged);
  boost::asio::co_spawn(loop.get_executor(), committer(), boost::asio::detached);
  loop.run();
  EXPECT_EQ(purged->value().records, 50'000U);
  EXPECT_EQ(purged->value().events, 50'000U);
  // Almost all, because a busy machine may stop any thread for as long.
  std::ranges::sort(waits);
  ASSERT_GT(waits.size(), 100U);
  EXPECT_LT(waits[waits.size() * 95 / 100], Millis(50));
}

TEST_F(Sqlite, OnePurgeAtATime) {
  open();
  world_.put("k", 0, "x");
  world_.clock.advance(std::chrono::hours(2));
  boost::asio::io_context loop;
  std::optional<Result<Purged>> first, second;
  start(loop, world_.backend->purge(world_.clock.now()), first);
  start(loop, world_.backend->purge(world_.clock.now()), second);
  loop.run();
  EXPECT_EQ(first->value().records, 1U);
  EXPECT_EQ(second->value().records, 0U);
}

}  // namespace
}  // namespace otpd::storage
