// What the SQLite backend promises beyond the contract.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "sqlite_harness.h"

namespace otpd::storage {
namespace {

using otp::CommitResult;
using How = otp::JobEnd::How;
using Outcome = Result<CommitResult>;

TEST_F(Sqlite, WhatWaitsIsWrittenInOneTransaction) {
  open();
  const double before = counter("otpd_store_transactions_total");
  boost::asio::io_context loop;
  std::vector<std::optional<Outcome>> answers(200);
  {
    Shell shell(config_.path);
    shell.hold_writer();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      start(loop, commit(static_cast<int>(i)), answers[i]);
    }
    loop.poll();
    shell.release_writer();
  }
  loop.run();
  for (const auto& answer : answers) EXPECT_EQ(answer->value(), CommitResult::done);
  // One that the writer took before the rest had arrived, and the rest.
  EXPECT_LE(counter("otpd_store_transactions_total") - before, 2);
}

TEST_F(Sqlite, AConflictInABatchFailsAlone) {
  open();
  boost::asio::io_context loop;
  std::optional<Outcome> first, second, other;
  {
    Shell shell(config_.path);
    shell.hold_writer();
    start(loop, commit(1), first);
    start(loop, commit(1), second);
    start(loop, commit(2), other);
    loop.poll();
    shell.release_writer();
  }
  loop.run();
  EXPECT_EQ(first->value(), CommitResult::done);
  EXPECT_EQ(second->value(), CommitResult::conflict);
  EXPECT_EQ(other->value(), CommitResult::done);
}

TEST_F(Sqlite, AFullQueueRefusesAtOnce) {
  config_.queue_limit = 8;
  open();
  boost::asio::io_context loop;
  std::vector<std::optional<Outcome>> answers(64);
  Shell shell(config_.path);
  shell.hold_writer();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    start(loop, commit(static_cast<int>(i)), answers[i]);
  }
  loop.poll();
  std::size_t refused = 0;
  for (const auto& answer : answers) {
    if (!answer) continue;
    ++refused;
    EXPECT_EQ(answer->error().kind, Failure::overloaded);
  }
  EXPECT_GE(refused, answers.size() - 2 * config_.queue_limit);
  EXPECT_LE(refused, answers.size() - config_.queue_limit);
  shell.release_writer();
  loop.run();
}

TEST_F(Sqlite, WhatNobodyWaitsForAnyMoreIsNotWritten) {
  config_.call_timeout = Millis(50);
  open();
  Shell shell(config_.path);
  shell.hold_writer();
  boost::asio::io_context loop;
  std::optional<Outcome> running, waiting;
  start(loop, commit(0), running);
  loop.run();  // until its deadline: the writer has it and cannot begin
  EXPECT_EQ(running->error().kind, Failure::timeout);
  start(loop, commit(1), waiting);
  loop.restart();
  loop.run();
  EXPECT_EQ(waiting->error().kind, Failure::timeout);
  shell.release_writer();
  config_.call_timeout = Millis(5000);
  reopen();
  EXPECT_EQ(world_.load("k1").version, 0U);
}

TEST_F(Sqlite, ClosingAnswersWhatWaits) {
  open();
  boost::asio::io_context loop;
  std::vector<std::optional<Outcome>> answers(20);
  Shell shell(config_.path);
  shell.hold_writer();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    start(loop, commit(static_cast<int>(i)), answers[i]);
  }
  loop.poll();
  std::thread closer([&] { world_.backend.reset(); });
  shell.release_writer();
  closer.join();
  loop.run();
  for (const auto& answer : answers) EXPECT_EQ(answer->value(), CommitResult::done);
  open();
  EXPECT_NE(world_.load("k19").version, 0U);
}

TEST_F(Sqlite, KeepsEverythingWhenReopened) {
  open();
  const auto version = world_.put(
      "k", 0, "state", {.enqueue = {world_.job('a'), world_.job('b')}, .events = {world_.event()}});
  const auto gone = world_.put("gone", 0, "x");
  ASSERT_EQ(world_.commit("gone", gone, ""), CommitResult::done);
  const auto events = world_.events();
  const auto taken = world_.take(1, std::chrono::hours(1));
  world_.append({.finish = {end_of(taken.at(0), How::dead, {}, "rejected")}});
  reopen();
  EXPECT_EQ(world_.load("k").bytes, "state");
  EXPECT_EQ(world_.load("k").version, version);
  EXPECT_EQ(world_.events(), events);
  EXPECT_EQ(await(world_.queue().dead_letters(10)).value().at(0).reason, "rejected");
  EXPECT_EQ(world_.take().at(0).id, world_.job('b').id);
  EXPECT_GT(world_.put("gone", 0, "y"), gone);
}

TEST_F(Sqlite, FindsEveryRecordWhenReopened) {
  constexpr int k_many = 5'000;  // more than are learnt at a time
  open();
  boost::asio::io_context loop;
  std::vector<std::optional<Outcome>> answers(k_many);
  for (int i = 0; i < k_many; ++i) {
    start(loop, commit(i), answers[static_cast<std::size_t>(i)]);
    if (i % 1'000 == 999) loop.run(), loop.restart();
  }
  reopen();
  for (int round = 0; round < 2; ++round) {  // while the keys are being learnt, and after
    for (int i = 0; i < k_many; ++i) {
      ASSERT_NE(world_.load("k" + std::to_string(i)).version, 0U) << i;
    }
  }
  EXPECT_EQ(world_.load("k" + std::to_string(k_many)).version, 0U);
  EXPECT_EQ(await(commit(0)).value(), CommitResult::conflict);
}

TEST_F(Sqlite, RefusesJobsBeyondItsLimit) {
  config_.jobs_limit = 2;
  open();
  world_.append({.enqueue = {world_.job('a'), world_.job('b')}});
  const auto refused = await(world_.store().append({.enqueue = {world_.job('c')}}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Failure::overloaded);
  world_.append({.finish = {end_of(world_.take(1).at(0), How::done)}});
  world_.append({.enqueue = {world_.job('c')}});
}

TEST_F(Sqlite, TheLeasesOfADeadProcessAreVoid) {
  open();
  world_.append({.enqueue = {world_.job('a')}});
  const auto lost = world_.take(1, std::chrono::hours(1));
  reopen();
  world_.append({.finish = {end_of(lost.at(0), How::done)}});
  const auto again = world_.take();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].lease, lost[0].lease);
}

TEST_F(Sqlite, RefusesANewerSchema) {
  open();
  world_.put("k", 0, "x");
  world_.backend.reset();
  Shell(config_.path).run("PRAGMA user_version=1000");
  const Error error = open_failure(config_.path);
  EXPECT_EQ(error.kind, Failure::invalid);
  EXPECT_THAT(error.message, testing::HasSubstr("schema version 1000"));
  EXPECT_THAT(error.message, testing::HasSubstr("versions up to"));
  Shell(config_.path).run("PRAGMA user_version=3");
  open();
  EXPECT_EQ(world_.load("k").bytes, "x");
}

TEST_F(Sqlite, AFileFromBeforeTheChainKeepsItsLines) {
  open();
  world_.append({.events = {world_.event()}});
  world_.backend.reset();
  Shell(config_.path)
      .run(
          "DROP INDEX otp_events_number; ALTER TABLE otp_events DROP COLUMN number; "
          "ALTER TABLE otp_events DROP COLUMN hash; DROP TABLE audit_head; "
          "ALTER TABLE otp_events DROP COLUMN application; "
          "DROP TABLE audit_checkpoints; PRAGMA user_version=1");
  open();
  world_.append({.events = {world_.event()}});
  EXPECT_EQ(world_.events().size(), 2U);
  const auto lines = await(world_.audit().lines(0, 0, 10)).value();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].hash, audit::extend({}, lines[0].event).hash);
}

TEST_F(Sqlite, LinesFromBeforeThereWereSeveralApplicationsAreTheBaseOnes) {
  open();
  const audit::Event before = world_.event();
  world_.append({.events = {before}});
  world_.backend.reset();
  Shell(config_.path).run("ALTER TABLE otp_events DROP COLUMN application; PRAGMA user_version=2");
  open();
  EXPECT_EQ(world_.events({.application = ""}), std::vector{before});
  const auto lines = await(world_.audit().lines(0, 1, 10)).value();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].hash, audit::extend({}, before).hash);
}

TEST_F(Sqlite, TheChainGoesOnAfterARestart) {
  open();
  for (int round = 0; round < 3; ++round) {
    world_.append({.events = {world_.event(), world_.event()}});
    reopen();
  }
  audit::Head head;
  for (const audit::Line& line : await(world_.audit().lines(0, 1, 10)).value()) {
    head = audit::extend(head, line.event);
    EXPECT_EQ(line.number, head.number);
    EXPECT_EQ(line.hash, head.hash);
  }
  EXPECT_EQ(head.number, 6U);
}

TEST_F(Sqlite, TheChainGoesOnAfterEveryLineWasPurged) {
  open();
  world_.append({.events = {world_.event(), world_.event()}});
  const auto heads = await(world_.audit().heads()).value();
  world_.clock.advance(world_.retention.audit + Millis(1));
  EXPECT_EQ(await(world_.backend->purge(world_.clock.now())).value().events, 2U);
  reopen();
  world_.append({.events = {world_.event()}});
  const auto lines = await(world_.audit().lines(0, 1, 10)).value();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].number, 3U);
  EXPECT_EQ(lines[0].hash, audit::extend(heads[0], lines[0].event).hash);
}

// A purge leaves no gap in the chain: an old line behind a newer one stays.
TEST_F(Sqlite, WhatAPurgeLeavesOfTheChainHasNoGap) {
  open();
  std::vector<audit::Event> events = {world_.event(), world_.event(), world_.event()};
  events[1].created_at += std::chrono::hours(2);
  world_.append({.events = events});
  world_.clock.advance(world_.retention.audit + std::chrono::hours(1));
  EXPECT_EQ(await(world_.backend->purge(world_.clock.now())).value().events, 1U);
  const auto lines = await(world_.audit().lines(0, 1, 10)).value();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].number, 2U);
}

TEST_F(Sqlite, RefusesTheDatabaseOfAnotherProgram) {
  Shell(config_.path).run("CREATE TABLE theirs (x)");
  const Error error = open_failure(config_.path);
  EXPECT_EQ(error.kind, Failure::invalid);
  EXPECT_THAT(error.message, testing::HasSubstr("another program"));
}

TEST_F(Sqlite, RefusesWhatIsNoDatabase) {
  std::ofstream(config_.path) << std::string(10000, 'x');
  const Error error = open_failure(config_.path);
  EXPECT_EQ(error.kind, Failure::corrupt);
  EXPECT_THAT(error.message, testing::HasSubstr(config_.path));
}

TEST_F(Sqlite, RefusesAFolderThatIsNotThereOrCannotBeWritten) {
  EXPECT_EQ(open_failure(world_.folder / "no/such/otpd.db").kind, Failure::unavailable);
  const Error error = open_failure("/proc/otpd.db");  // not even root can write there
  EXPECT_EQ(error.kind, Failure::unavailable);
  EXPECT_THAT(error.message, testing::HasSubstr("/proc/otpd.db"));
}

TEST_F(Sqlite, RefusesASecondOpener) {
  open();
  const Error error = open_failure(config_.path);
  EXPECT_EQ(error.kind, Failure::unavailable);
  EXPECT_THAT(error.message, testing::HasSubstr("in use"));
  world_.put("k", 0, "still works");
  reopen();
}

TEST_F(Sqlite, OnlyTheOwnerReadsTheFiles) {
  const mode_t before = umask(0);
  open();
  world_.put("k", 0, "x");
  umask(before);
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(world_.folder.path())) {
    EXPECT_EQ(file.status().permissions(), std::filesystem::perms(0600)) << file.path();
    ++files;
  }
  EXPECT_EQ(files, 4);  // database, WAL, its index, lock
}

TEST_F(Sqlite, AFullDatabaseIsUnavailableUntilThereIsRoom) {
  config_.max_file_bytes = 1 << 20;
  open();
  int n = 0;
  Outcome outcome = await(commit(n, 50'000));
  while (outcome && ++n < 100) outcome = await(commit(n, 50'000));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind, Failure::unavailable);
  EXPECT_EQ(world_.load("k" + std::to_string(n)).version, 0U);
  EXPECT_NE(world_.load("k0").version, 0U);
  world_.clock.advance(std::chrono::hours(2));
  EXPECT_EQ(await(world_.backend->purge(world_.clock.now())).value().records,
            static_cast<std::uint64_t>(n));
  EXPECT_EQ(await(commit(n, 50'000)).value(), CommitResult::done);
}

// Lets no file of this process grow beyond `bytes` while it lives: writes fail as on a broken disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit low{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Sqlite, AFailingDiskIsUnavailableUntilItWorks) {
  open();
  world_.put("before", 0, "x");
  {
    const FileSizeLimit limit(std::filesystem::file_size(config_.path + "-wal"));
    const Outcome outcome = await(commit(1, 500'000));
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().kind, Failure::unavailable);
    const auto ping = await(world_.store().ping());
    ASSERT_FALSE(ping.has_value());
    EXPECT_EQ(ping.error().kind, Failure::unavailable);
    EXPECT_EQ(world_.load("k1").version, 0U);
    EXPECT_EQ(world_.load("before").bytes, "x");
  }
  EXPECT_TRUE(await(world_.store().ping()).has_value());
  EXPECT_EQ(await(commit(1, 500'000)).value(), CommitResult::done);
  reopen();
  EXPECT_EQ(world_.load("k1").bytes.size(), 500'000U);
}

}  // namespace
}  // namespace otpd::storage
