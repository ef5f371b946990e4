// What only the backend on Redis does; the rest of its behaviour is the contract's.
#include <set>
#include <sstream>
#include <thread>

#include "backends.h"
#include "net/event_loops.h"

namespace otpd::storage {
namespace {

using ::testing::HasSubstr;
using How = otp::JobEnd::How;

// A RedisBackend of a process of its own, by the world's clock.
class Process {
 public:
  Process(const RedisBackendConfig& config, World& world) : loops_(1, "process") {
    auto opened = open_redis_backend(config, {&loops_[0]}, world.clock, world.metrics);
    if (!opened) throw std::runtime_error(opened.error().message);
    backend_ = std::move(*opened);
  }
  ~Process() { loops_.stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  RedisBackend& operator*() { return *backend_; }
  RedisBackend* operator->() { return backend_.get(); }

 private:
  net::EventLoops loops_;
  std::unique_ptr<RedisBackend> backend_;  // ends before its loops are destroyed
};

class OnRedis : public ::testing::Test {
 protected:
  void append(RedisBackend& backend, otp::Effects effects) {
    ASSERT_TRUE(await(backend.store().append(std::move(effects))).has_value());
  }
  std::vector<delivery::Job> take(RedisBackend& backend, std::size_t max, Millis lease) {
    return await(backend.queue().take(world_.clock.now(), lease, max, Millis(0))).value();
  }
  // The keys under the prefix.
  std::vector<std::string> keys() const {
    std::istringstream lines(test_redis().cli({"--raw", "KEYS", config_.prefix + ":*"}));
    std::vector<std::string> names;
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    return names;
  }
  std::int64_t life_ms(const std::string& key) const {
    return std::stoll(test_redis().cli({"--raw", "PTTL", key}));
  }

  World world_;
  RedisBackendConfig config_ = redis_config(world_);
};

otp::NewJob job_number(const World& world, int i) {
  otp::NewJob job = world.job('a');
  job.id = std::to_string(1'000'000'000'000'000 + i);
  job.key = "k" + std::to_string(i);
  return job;
}

TEST_F(OnRedis, TwoProcessesNeverHoldTheSameJob) {
  constexpr int k_jobs = 400;
  Process one(config_, world_);
  Process two(config_, world_);
  for (int i = 0; i < k_jobs; ++i) append(*one, {.enqueue = {job_number(world_, i)}});
  std::vector<std::string> taken[2];
  const auto work = [&](RedisBackend& backend, std::vector<std::string>& mine) {
    for (;;) {
      const auto jobs = take(backend, 7, std::chrono::minutes(1));
      if (jobs.empty()) return;
      for (const auto& job : jobs) mine.push_back(job.id);
    }
  };
  std::thread other([&] { work(*two, taken[1]); });
  work(*one, taken[0]);
  other.join();
  EXPECT_EQ(taken[0].size() + taken[1].size(), static_cast<std::size_t>(k_jobs));
  std::set<std::string> all(taken[0].begin(), taken[0].end());
  all.insert(taken[1].begin(), taken[1].end());
  EXPECT_EQ(all.size(), static_cast<std::size_t>(k_jobs));
}

TEST_F(OnRedis, WhatADeadProcessHeldComesBackAfterItsLease) {
  Process survivor(config_, world_);
  std::uint64_t stale = 0;
  {
    Process doomed(config_, world_);
    append(*doomed, {.enqueue = {world_.job('a')}});
    const auto held = take(*doomed, 1, Millis(1'000));
    ASSERT_EQ(held.size(), 1U);
    stale = held[0].lease;
  }
  EXPECT_TRUE(take(*survivor, 1, Millis(1'000)).empty());
  world_.clock.advance(Millis(1'000));
  const auto again = take(*survivor, 1, Millis(1'000));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].sealed, world_.job('a').sealed);
  EXPECT_EQ(again[0].attempt, 2U);
  EXPECT_NE(again[0].lease, stale);
}

// The taker learns of it by the doorbell, or by its look at all partitions within a second.
TEST_F(OnRedis, AJobOfAnotherProcessWakesTheTaker) {
  Process worker(config_, world_);
  Process api(config_, world_);
  std::thread later([&] {
    std::this_thread::sleep_for(Millis(50));
    append(*api, {.enqueue = {world_.job('a')}});
  });
  const auto taken =
      await(worker->queue().take(world_.clock.now(), Millis(1'000), 1, std::chrono::seconds(30)));
  later.join();
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->size(), 1U);
}

TEST_F(OnRedis, EveryKeyExpiresAfterABusyRun) {
  world_.backend = make_redis_world(config_, world_);
  for (int i = 0; i < 60; ++i) {
    world_.put("k" + std::to_string(i), 0, "x",
               {.enqueue = {job_number(world_, i)}, .events = {world_.event()}});
  }
  const auto jobs = world_.take(60);
  ASSERT_EQ(jobs.size(), 60U);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const How how = std::array{How::done, How::retry, How::dead}[i % 3];
    if (i % 4 != 0) world_.append({.finish = {end_of(jobs[i], how, world_.clock.now(), "no")}});
  }
  world_.take(3);
  EXPECT_EQ(world_.events().size(), 60U);
  EXPECT_TRUE(await(world_.queue().requeue(jobs[2].id, world_.clock.now())).value());
  const auto names = keys();
  EXPECT_GT(names.size(), 100U);
  for (const std::string& name : names) EXPECT_GT(life_ms(name), 0) << name;
}

TEST_F(OnRedis, ARecordLivesAMinuteLongerThanItsExpiryByOtpdsClock) {
  world_.backend = make_redis_world(config_, world_);
  world_.put("k", 0, "x");  // for an hour
  std::string record;
  for (const std::string& name : keys()) {
    if (name.ends_with(":r:k")) record = name;
  }
  const auto expected = Millis(std::chrono::minutes(61)).count();
  EXPECT_LE(life_ms(record), expected);
  EXPECT_GT(life_ms(record), expected - 30'000);
}

TEST_F(OnRedis, ADeadLettersMessageLivesNoLongerThanItsCode) {
  world_.backend = make_redis_world(config_, world_);
  otp::NewJob job = world_.job('a');
  job.expires_at = world_.clock.now() + Millis(150);
  world_.append({.enqueue = {job}});
  world_.append({.finish = {end_of(world_.take(1).at(0), How::dead, {}, "no")}});
  EXPECT_TRUE(net::redis_wait_until([&] {
    for (const std::string& name : keys()) {
      if (name.find(":s:") != name.npos) return false;
    }
    return true;
  }));
  EXPECT_EQ(world_.stats().dead, 1U);
  EXPECT_FALSE(await(world_.queue().requeue(job.id, world_.clock.now())).value());
}

TEST_F(OnRedis, ADeadLettersIdIsNotEnqueuedAgain) {
  world_.backend = make_redis_world(config_, world_);
  world_.append({.enqueue = {world_.job('a')}});
  world_.append({.finish = {end_of(world_.take(1).at(0), How::dead, {}, "no")}});
  world_.append({.enqueue = {world_.job('a')}});
  EXPECT_EQ(world_.stats().waiting, 0U);
  EXPECT_EQ(world_.stats().dead, 1U);
}

TEST_F(OnRedis, OldDeadLettersAreForgotten) {
  world_.backend = make_redis_world(config_, world_);
  world_.append({.enqueue = {world_.job('a')}});
  world_.append({.finish = {end_of(world_.take(1).at(0), How::dead, {}, "no")}});
  world_.clock.advance(std::chrono::days(7));
  EXPECT_EQ(world_.stats().dead, 0U);
  EXPECT_TRUE(await(world_.queue().dead_letters(10)).value().empty());
}

TEST_F(OnRedis, RefusesEventsBeyondTheBacklogAndWritesNothing) {
  config_.max_backlog = 3;
  config_.partitions = 1;
  world_.backend = make_redis_world(config_, world_);
  world_.put("k", 0, "one", {.events = {world_.event(), world_.event(), world_.event()}});
  const auto version = world_.load("k").version;
  const auto refused =
      await(world_.store().commit("k", version, "two", world_.clock.now(),
                                  {.enqueue = {world_.job('a')}, .events = {world_.event()}}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Failure::overloaded);
  const auto appended = await(world_.store().append({.events = {world_.event()}}));
  ASSERT_FALSE(appended.has_value());
  EXPECT_EQ(appended.error().kind, Failure::overloaded);
  EXPECT_EQ(world_.load("k").bytes, "one");
  EXPECT_EQ(world_.stats().waiting, 0U);
  EXPECT_THAT(world_.metrics.render(), HasSubstr("\notpd_audit_refused_total 2\n"));
  world_.put("k", version, "two");
  EXPECT_EQ(world_.events().size(), 3U) << "which carries them away";
  world_.append({.events = {world_.event()}});
}

TEST_F(OnRedis, EventsWaitInOrderUntilTheyAreForgotten) {
  config_.partitions = 2;
  Process process(config_, world_);
  std::vector<audit::Event> written;
  for (int i = 0; i < 5; ++i) {
    written.push_back(world_.event());
    ASSERT_TRUE(
        await(process->store().commit("k", 0, "", world_.clock.now(), {.events = {written.back()}}))
            .has_value());
    world_.clock.advance(Millis(10));
  }
  audit::EventStream& events = process->events();
  ASSERT_EQ(events.partitions(), 2U);
  std::uint32_t at = 0;
  if (await(events.read(at, 10)).value().empty()) at = 1;
  const auto backlog = [&] { return await(events.backlog(world_.clock.now())).value(); };
  EXPECT_EQ(backlog().events, 5U);
  EXPECT_EQ(backlog().oldest, Millis(50));

  const auto first = await(events.read(at, 3)).value();
  ASSERT_EQ(first.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(first[i].event, written[i]);
  // Not all that were read: the middle one is cut out.
  ASSERT_TRUE(await(events.forget(at, {first[1].mark})).has_value());
  const auto rest = await(events.read(at, 10)).value();
  ASSERT_EQ(rest.size(), 4U);
  EXPECT_EQ(rest[0].event, written[0]);
  EXPECT_EQ(rest[1].event, written[2]);
  // All that were read, but one more came.
  written.push_back(world_.event());
  ASSERT_TRUE(
      await(process->store().commit("k", 0, "", world_.clock.now(), {.events = {written.back()}}))
          .has_value());
  std::vector<std::string> marks;
  for (const auto& one : rest) marks.push_back(one.mark);
  ASSERT_TRUE(await(events.forget(at, marks)).has_value());
  const auto last = await(events.read(at, 10)).value();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].event, written.back());
  EXPECT_EQ(backlog().events, 1U);
}

// Its record is elsewhere than the job, as that of a webhook's endpoint is.
TEST_F(OnRedis, ACommitEndsJobsOfOtherPartitions) {
  world_.backend = make_redis_world(config_, world_);
  for (int i = 0; i < 16; ++i) world_.append({.enqueue = {job_number(world_, i)}});
  std::vector<otp::JobEnd> ends;
  for (const auto& job : world_.take(16)) ends.push_back(end_of(job, How::done));
  ASSERT_EQ(ends.size(), 16U);
  world_.put("k", 0, "x", {.finish = ends});
  EXPECT_EQ(world_.stats().leased, 0U);
  EXPECT_EQ(world_.stats().waiting, 0U);
}

TEST_F(OnRedis, TheNumberOfPartitionsIsFixedByTheFirst) {
  Process first(config_, world_);
  RedisBackendConfig other = redis_config(world_);
  other.prefix = config_.prefix;
  other.partitions = 16;
  net::EventLoops loops(1, "other");
  const auto opened = open_redis_backend(other, {&loops[0]}, world_.clock, world_.metrics);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, Failure::invalid);
  EXPECT_THAT(opened.error().message, HasSubstr("8 partitions"));
  EXPECT_THAT(opened.error().message, HasSubstr("16"));
}

TEST_F(OnRedis, AServerThatEvictsIsRefused) {
  net::TestRedis evicting({"--maxmemory-policy", "allkeys-lru"});
  config_.redis.nodes = {evicting.node()};
  net::EventLoops loops(1, "evicting");
  const auto opened = open_redis_backend(config_, {&loops[0]}, world_.clock, world_.metrics);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind, Failure::invalid);
  EXPECT_THAT(opened.error().message, HasSubstr("allkeys-lru"));
}

TEST_F(OnRedis, AServerThatIsFullOrGoneIsUnavailable) {
  auto server = std::make_unique<net::TestRedis>();
  config_.redis.nodes = {server->node()};
  world_.backend = make_redis_world(config_, world_);
  world_.put("k", 0, "x", {.enqueue = {world_.job('a')}});
  const auto job = world_.take(1).at(0);
  const auto failure = [&](otp::Effects effects) {
    const auto written = await(world_.store().append(std::move(effects)));
    return written ? std::nullopt : std::optional(written.error().kind);
  };
  server->cli({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(failure({.enqueue = {world_.job('b')}}), Failure::unavailable);
  EXPECT_EQ(failure({.finish = {end_of(job, How::done)}}), std::nullopt)
      << "what frees memory is let through";
  server->kill();
  EXPECT_EQ(failure({.enqueue = {world_.job('b')}}), Failure::unavailable);
  EXPECT_FALSE(await(world_.store().load("k")).has_value());
  EXPECT_FALSE(await(world_.store().ping()).has_value());
  EXPECT_FALSE(await(world_.queue().take(world_.clock.now(), Millis(1), 1, Millis(0))).has_value());
}

}  // namespace
}  // namespace otpd::storage
