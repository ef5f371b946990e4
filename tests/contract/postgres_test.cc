// What is PostgreSQL's own: the pool, the schema, the ledger, and a server that goes and comes.
#include <atomic>
#include <thread>

#include "postgres_harness.h"
#include "storage/postgres/backend.h"

namespace otpd::storage {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Expects that it does not live longer than `limit`.
class Stopwatch {
 public:
  explicit Stopwatch(Millis limit) : limit_(limit) {}
  ~Stopwatch() { EXPECT_LE(SteadyClock::now() - begin_, limit_); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  const Millis limit_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
};

// Tries for as long as a recovery may take.
template <class Attempt>
bool eventually(Attempt attempt) {
  const auto give_up = SteadyClock::now() + std::chrono::seconds(20);
  while (!attempt()) {
    if (SteadyClock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

TEST_F(Postgres, RefusesAUrlThatCannotBeRead) {
  for (const char* url : {"", "postgresql://[::1/x", "nonsense", "host=x hunter2"}) {
    config_.url = Secret(std::string(url));
    const auto backend = open_postgres_backend(config_, world_.clock, world_.metrics);
    ASSERT_FALSE(backend.has_value()) << url;
    EXPECT_EQ(backend.error().kind, Failure::invalid);
    EXPECT_THAT(backend.error().message, testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST_F(Postgres, RefusesANewerSchema) {
  open();
  world_.backend.reset();
  shell().run("UPDATE otp_schema SET version = 1000");
  const auto backend = open_postgres_backend(config_, world_.clock, world_.metrics);
  ASSERT_FALSE(backend.has_value());
  EXPECT_EQ(backend.error().kind, Failure::invalid);
  EXPECT_THAT(backend.error().message, testing::HasSubstr("schema version 1000"));
}

TEST_F(Postgres, LinesFromBeforeThereWereSeveralApplicationsAreTheBaseOnes) {
  open();
  const audit::Event before = world_.event();
  world_.append({.events = {before}});
  world_.backend.reset();
  shell().run("ALTER TABLE otp_events DROP COLUMN application");
  shell().run("UPDATE otp_schema SET version = 1");
  open();
  EXPECT_EQ(world_.events({.application = ""}), std::vector{before});
}

TEST_F(Postgres, ManyMayMakeTheTablesAtOnce) {
  std::vector<std::thread> openers;
  std::atomic<int> ready{0};
  for (int i = 0; i < 6; ++i) {
    openers.emplace_back([&] {
      const auto backend = opened();
      if (await(backend->store().ping())) ++ready;
    });
  }
  for (std::thread& opener : openers) opener.join();
  EXPECT_EQ(ready, 6);
  EXPECT_EQ(shell().number("SELECT count(*) FROM otp_schema"), 1);
}

TEST_F(Postgres, KeepsEverythingWhenReopened) {
  open();
  const auto version =
      world_.put("k", 0, "state", {.enqueue = {world_.job('a')}, .events = {world_.event()}});
  const auto events = world_.events();
  world_.backend.reset();
  open();
  EXPECT_EQ(world_.load("k").version, version);
  EXPECT_EQ(world_.events(), events);
  EXPECT_EQ(world_.take().at(0).id, world_.job('a').id);
}

TEST_F(Postgres, AJobOfAnotherProcessIsFound) {
  open();
  const auto other = opened();
  boost::asio::io_context loop;
  std::optional<Result<std::vector<delivery::Job>>> taken;
  start(loop, other->queue().take(world_.clock.now(), Millis(1000), 1, std::chrono::seconds(20)),
        taken);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    world_.append({.enqueue = {world_.job('a')}});
  });
  const Stopwatch stopwatch(std::chrono::seconds(10));
  loop.run();
  later.join();
  ASSERT_TRUE(taken->has_value());
  EXPECT_EQ(taken->value().size(), 1U);
}

// Effects that name the same jobs in different orders never wait for one another in a circle.
TEST_F(Postgres, CommitsOfTheSameJobsDoNotDeadlock) {
  open();
  std::vector<std::thread> writers;
  std::atomic<int> failed{0};
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&, i] {
      for (int n = 0; n < 30; ++n) {
        otp::Effects effects;
        for (char letter = 'a'; letter <= 'e'; ++letter) {
          effects.enqueue.push_back(
              world_.job(i % 2 == 0 ? letter : static_cast<char>(202 - letter)));
        }
        for (const auto& job : world_.take(3))
          effects.finish.push_back(end_of(job, otp::JobEnd::How::done));
        if (i % 2 == 0) std::ranges::reverse(effects.finish);
        if (!await(world_.store().append(std::move(effects)))) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(
      shell().number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"),
      0);
}

// --- the ledger ----------------------------------------------------------------------------------

TEST_F(Postgres, OfManyConsumersOneIsTheFirst) {
  open();
  const auto other = opened();
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> firsts{0};
    std::vector<std::thread> racers;
    for (int i = 0; i < 8; ++i) {
      racers.emplace_back([&, i] {
        auto& ledger = i % 2 == 0 ? backend_->ledger() : other->ledger();
        const auto first = await(ledger.consume("v" + std::to_string(round), k_start));
        if (first.value()) ++firsts;
      });
    }
    for (std::thread& racer : racers) racer.join();
    EXPECT_EQ(firsts, 1);
  }
}

TEST_F(Postgres, WhatWasConsumedIsForgottenAfterAWeek) {
  open();
  const auto consume = [&] { return await(backend_->ledger().consume("v", k_start)).value(); };
  EXPECT_TRUE(consume());
  world_.clock.advance(std::chrono::days(7) - Millis(1));
  ASSERT_TRUE(await(backend_->purge(world_.clock.now())).has_value());
  EXPECT_FALSE(consume());
  world_.clock.advance(Millis(1));
  ASSERT_TRUE(await(backend_->purge(world_.clock.now())).has_value());
  EXPECT_TRUE(consume());
}

// --- trouble -------------------------------------------------------------------------------------

// Keeps every writer of chain 1 waiting while it lives.
class HeldHead {
 public:
  explicit HeldHead(const std::string& url) : shell_(url) {
    shell_.run("BEGIN; SELECT 1 FROM otp_chain_heads WHERE chain = 1 FOR UPDATE");
  }
  void wait_for_waiters(int count) {
    PostgresShell& shell = shell_;
    ASSERT_TRUE(eventually([&] {
      return shell.number("SELECT count(*) FROM pg_stat_activity WHERE " +
                          std::string(k_waits_for_us)) >= count;
    }));
  }
  void kill_waiters() {
    shell_.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " +
               std::string(k_waits_for_us));
  }

 private:
  // And nobody who waits for another.
  static constexpr std::string_view k_waits_for_us =
      "pg_backend_pid() = ANY(pg_blocking_pids(pid))";
  PostgresShell shell_;
};

TEST_F(Postgres, AConnectionKilledInTheMiddleWritesNothing) {
  open();
  const auto events = some_events(10);
  write(1, {events[0]});
  std::optional<Result<void>> written;
  {
    HeldHead held(server_.url(*database_));
    start(loop_, backend_->sink().write(1, events), written);
    loop_.poll();
    held.wait_for_waiters(1);
    held.kill_waiters();
    loop_.run();
  }
  ASSERT_TRUE(written.has_value());
  ASSERT_FALSE(written->has_value());
  EXPECT_EQ(written->error().kind, Failure::unavailable);
  expect_written(1, {events[0]});
  write(1, events);
  expect_written(1, events);
}

TEST_F(Postgres, AnIdleConnectionThatWasKilledCostsNoCall) {
  open();
  for (int i = 0; i < 3; ++i) {
    shell().run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    write(1, some_events(1));
  }
}

TEST_F(Postgres, ACallThatWaitsTooLongFailsAndTheNextOneWorks) {
  config_.call_timeout = Millis(300);
  open();
  const auto events = some_events(3);
  write(1, {events[0]});
  {
    HeldHead held(server_.url(*database_));
    const Stopwatch stopwatch(std::chrono::seconds(3));
    const auto late = try_write(1, {events[1]});
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, Failure::timeout);
  }
  EXPECT_TRUE(eventually([&] { return try_write(1, {events[2]}).has_value(); }));
  expect_written(1, {events[0], events[2]});
}

TEST_F(Postgres, AFullQueueRefusesAtOnceAndClosingAnswersWhatWaits) {
  config_.connections = 1;
  config_.queue_limit = 4;
  open();
  write(1, some_events(1));
  std::vector<std::optional<Result<void>>> answers(20);
  std::thread closer;
  {
    HeldHead held(server_.url(*database_));
    for (auto& answer : answers) start(loop_, backend_->sink().write(1, some_events(1)), answer);
    loop_.poll();
    held.wait_for_waiters(1);
    loop_.poll();
    int refused = 0;
    for (const auto& answer : answers) {
      if (!answer) continue;
      ++refused;
      EXPECT_EQ(answer->error().kind, Failure::overloaded);
    }
    EXPECT_GE(refused, 15);
    EXPECT_LE(refused, 16);
    closer = std::thread([&] { world_.backend.reset(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  closer.join();
  loop_.run();
  int written = 0;
  for (const auto& answer : answers) written += answer->has_value() ? 1 : 0;
  EXPECT_GE(written, 4);
}

// --- a server that goes away ---------------------------------------------------------------------

class PostgresOutage : public Postgres {
 protected:
  // A server of their own, for the tests that stop it.
  static PostgresServer& own() {
    static PostgresServer server;
    return server;
  }
  PostgresOutage() : Postgres(own()) {
    config_.connect_timeout = Millis(500);
    config_.call_timeout = Millis(1'000);
  }
  ~PostgresOutage() override {
    world_.backend.reset();
    own().thaw();
  }
  bool works() { return await_here(backend_->store().ping()).has_value(); }
};

TEST_F(PostgresOutage, FailsQuicklyWhileItIsAwayAndRecovers) {
  open();
  const auto events = some_events(3);
  write(1, {events[0]});
  own().stop();
  (void)try_write(1, {events[1]});  // one may still find a connection that seems to live
  {
    const Stopwatch stopwatch(Millis(900));
    for (int i = 0; i < 20; ++i) {
      const auto refused = try_write(1, {events[1]});
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().kind, Failure::unavailable);
    }
  }
  own().start();
  EXPECT_TRUE(eventually([&] { return try_write(1, {events[1]}).has_value(); }));
  write(1, {events[2]});
  expect_written(1, events);
}

TEST_F(PostgresOutage, OpensWhileItIsAwayAndMakesTheTablesLater) {
  own().stop();
  {
    const Stopwatch stopwatch(std::chrono::seconds(5));
    open();
    EXPECT_FALSE(works());
  }
  own().start();
  EXPECT_TRUE(eventually([&] { return works(); }));
  write(1, some_events(1));
}

TEST_F(PostgresOutage, AServerThatHangsKeepsNoCallBeyondItsDeadline) {
  open();
  const auto events = some_events(2);
  write(1, {events[0]});
  own().freeze();
  for (int i = 0; i < 5; ++i) {
    const Stopwatch stopwatch(config_.call_timeout + Millis(700));
    EXPECT_FALSE(try_write(1, {events[1]}).has_value());
  }
  own().thaw();
  EXPECT_TRUE(eventually([&] { return try_write(1, {events[1]}).has_value(); }));
  expect_written(1, events);
}

TEST_F(PostgresOutage, ClosingDoesNotWaitForAServerThatHangs) {
  open();
  own().freeze();
  EXPECT_FALSE(works());
  const Stopwatch stopwatch(std::chrono::seconds(5));
  world_.backend.reset();
}

}  // namespace
}  // namespace otpd::storage
