#include <thread>

#include "backends.h"

namespace otpd::storage {
namespace {

using How = otp::JobEnd::How;

class QueueContract : public Contract {
 protected:
  void enqueue(otp::NewJob job) { world_.append({.enqueue = {std::move(job)}}); }
  // For the same recipient, so that every backend takes them in order.
  void enqueue_alike(char letter, Millis due_in) {
    otp::NewJob job = world_.job(letter, due_in);
    job.key = "same";
    enqueue(std::move(job));
  }
  void finish(otp::JobEnd end) { world_.append({.finish = {std::move(end)}}); }
};
INSTANTIATE_TEST_SUITE_P(Backends, QueueContract, k_backends, backend_name);

TEST_P(QueueContract, TakesAJobWithAllItCarries) {
  const otp::NewJob job = world_.job('a');
  enqueue(job);
  const auto taken = world_.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].id, job.id);
  EXPECT_EQ(taken[0].key, job.key);
  EXPECT_EQ(taken[0].sealed, job.sealed);
  EXPECT_EQ(taken[0].due_at, job.due_at);
  EXPECT_EQ(taken[0].expires_at, job.expires_at);
  EXPECT_EQ(taken[0].attempt, 1U);
  EXPECT_NE(taken[0].lease, 0U);
}

TEST_P(QueueContract, EnqueueingAnIdTwiceChangesNothing) {
  enqueue(world_.job('a'));
  otp::NewJob again = world_.job('a', Millis(500));
  again.sealed = "other";
  enqueue(again);
  const auto taken = world_.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].sealed, world_.job('a').sealed);
  enqueue(world_.job('a'));
  EXPECT_TRUE(world_.take().empty()) << "a leased job was made ready again";
}

TEST_P(QueueContract, TakesDueJobsOnlyOldestFirst) {
  enqueue_alike('c', Millis(-1));
  enqueue_alike('a', Millis(-3));
  enqueue_alike('d', Millis(0));
  enqueue_alike('e', Millis(1));
  enqueue_alike('b', Millis(-2));
  const auto first = world_.take(2);
  const auto rest = world_.take(10);
  ASSERT_EQ(first.size(), 2U);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(first[0].id[0], 'a');
  EXPECT_EQ(first[1].id[0], 'b');
  EXPECT_EQ(rest[0].id[0], 'c');
  EXPECT_EQ(rest[1].id[0], 'd');
  world_.clock.advance(Millis(1));
  ASSERT_EQ(world_.take().size(), 1U);
}

TEST_P(QueueContract, ALeaseHidesTheJobUntilItRunsOut) {
  enqueue(world_.job('a'));
  const auto first = world_.take(1, Millis(1000));
  ASSERT_EQ(first.size(), 1U);
  world_.clock.advance(Millis(999));
  EXPECT_TRUE(world_.take().empty());
  world_.clock.advance(Millis(1));
  const auto second = world_.take();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].attempt, 2U);
  EXPECT_NE(second[0].lease, first[0].lease);
}

TEST_P(QueueContract, AStaleLeaseChangesNothingButTheRestIsWritten) {
  enqueue(world_.job('a'));
  const auto stale = world_.take(1, Millis(10));
  world_.clock.advance(Millis(10));
  const auto live = world_.take(1, Millis(10));
  ASSERT_EQ(live.size(), 1U);
  for (const How how : {How::done, How::retry, How::dead}) {
    world_.append(
        {.finish = {end_of(stale[0], how, world_.clock.now(), "x")}, .events = {world_.event()}});
    EXPECT_EQ(world_.stats().leased, 1U);
  }
  EXPECT_EQ(world_.events().size(), 3U);
  finish(end_of(live[0], How::done));
  EXPECT_EQ(world_.stats().leased, 0U);
  EXPECT_EQ(world_.stats().waiting, 0U);
}

TEST_P(QueueContract, WithoutALeaseNothingEnds) {
  enqueue(world_.job('a'));
  finish({.id = world_.job('a').id, .lease = 0, .how = How::done, .due_at = {}, .reason = {}});
  EXPECT_EQ(world_.stats().waiting, 1U);
}

TEST_P(QueueContract, ALeaseThatRanOutStillEndsTheJobIfNobodyTookIt) {
  enqueue(world_.job('a'));
  const auto taken = world_.take(1, Millis(10));
  world_.clock.advance(Millis(11));
  finish(end_of(taken[0], How::done));
  EXPECT_EQ(world_.stats().waiting, 0U);
}

TEST_P(QueueContract, DoneRemovesTheJob) {
  enqueue(world_.job('a'));
  finish(end_of(world_.take().at(0), How::done));
  world_.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(world_.take().empty());
  EXPECT_EQ(world_.stats().dead, 0U);
}

TEST_P(QueueContract, RetryGivesTheJobBackForLater) {
  enqueue(world_.job('a'));
  const TimePoint later = world_.clock.now() + Millis(500);
  finish(end_of(world_.take().at(0), How::retry, later));
  EXPECT_EQ(world_.stats().waiting, 1U);
  EXPECT_TRUE(world_.take().empty());
  world_.clock.set(later);
  const auto again = world_.take();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].due_at, later);
  EXPECT_EQ(again[0].attempt, 2U);
  EXPECT_EQ(again[0].sealed, world_.job('a').sealed);
}

TEST_P(QueueContract, DeadLettersAreKeptAndNeverTaken) {
  enqueue_alike('a', Millis(-2));
  enqueue_alike('b', Millis(-1));
  const TimePoint expires_at = world_.job('a').expires_at;
  finish(end_of(world_.take(1).at(0), How::dead, {}, "rejected"));
  world_.clock.advance(Millis(5));
  finish(end_of(world_.take(1).at(0), How::dead, {}, "expired"));
  EXPECT_EQ(world_.stats().dead, 2U);
  EXPECT_EQ(world_.stats().leased, 0U);
  const auto letters = await(world_.queue().dead_letters(10)).value();
  ASSERT_EQ(letters.size(), 2U);
  EXPECT_EQ(letters[0].reason, "expired");
  EXPECT_EQ(letters[1].reason, "rejected");
  EXPECT_EQ(letters[1].id, std::string(16, 'a'));
  EXPECT_EQ(letters[1].attempts, 1U);
  EXPECT_EQ(letters[1].died_at, k_start);
  EXPECT_EQ(letters[1].expires_at, expires_at);
  EXPECT_EQ(await(world_.queue().dead_letters(1)).value().size(), 1U);
  world_.clock.advance(std::chrono::hours(1));
  EXPECT_TRUE(world_.take().empty());
}

TEST_P(QueueContract, ADeadLetterWhoseCodeLivesBecomesAJobAgain) {
  const otp::NewJob job = world_.job('a');
  enqueue(job);
  finish(end_of(world_.take(1).at(0), How::dead, {}, "rejected"));
  world_.clock.advance(Millis(5));
  const auto requeue = [&](const std::string& id) {
    return await(world_.queue().requeue(id, world_.clock.now())).value();
  };
  EXPECT_FALSE(requeue("unknown"));
  EXPECT_TRUE(requeue(job.id));
  EXPECT_FALSE(requeue(job.id)) << "it is no dead letter any more";
  EXPECT_EQ(world_.stats().dead, 0U);
  const auto taken = world_.take();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].id, job.id);
  EXPECT_EQ(taken[0].key, job.key);
  EXPECT_EQ(taken[0].sealed, job.sealed);
  EXPECT_EQ(taken[0].expires_at, job.expires_at);
  EXPECT_EQ(taken[0].due_at, world_.clock.now());
  EXPECT_EQ(taken[0].attempt, 1U);
  finish(end_of(taken[0], How::dead, {}, "rejected"));
  world_.clock.set(job.expires_at);
  EXPECT_FALSE(requeue(job.id)) << "its code has expired";
  EXPECT_EQ(world_.stats().dead, 1U);
}

TEST_P(QueueContract, CountsAndAgesTheWaiting) {
  enqueue_alike('a', Millis(-300));
  enqueue_alike('b', Millis(-100));
  enqueue_alike('c', Millis(100));
  EXPECT_EQ(world_.stats().waiting, 3U);
  EXPECT_EQ(world_.stats().oldest_due, Millis(300));
  world_.take(1);
  EXPECT_EQ(world_.stats().waiting, 2U);
  EXPECT_EQ(world_.stats().leased, 1U);
  EXPECT_EQ(world_.stats().oldest_due, Millis(100));
  world_.take(1);
  EXPECT_EQ(world_.stats().oldest_due, Millis(0));
}

TEST_P(QueueContract, TwoTakersShareTheJobs) {
  for (char letter = 'a'; letter <= 'p'; ++letter) enqueue(world_.job(letter));
  std::atomic<int> taken{0};
  auto taker = [&] {
    while (true) {
      const auto jobs = world_.take(1, std::chrono::minutes(1));
      if (jobs.empty()) return;
      taken += static_cast<int>(jobs.size());
    }
  };
  std::thread other(taker);
  taker();
  other.join();
  EXPECT_EQ(taken, 16);
}

TEST_P(QueueContract, WaitsNoLongerThanAsked) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(await(world_.queue().take(k_start, Millis(1), 1, Millis(60))).value().empty());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, Millis(60));
}

using Jobs = Result<std::vector<delivery::Job>>;

// Takes with a long wait and runs `arrive` once the taker has looked and found nothing.
Jobs take_while(World& world, std::function<void()> arrive) {
  boost::asio::io_context loop;
  std::optional<Jobs> taken;
  start(loop, world.queue().take(world.clock.now(), Millis(1000), 1, std::chrono::seconds(60)),
        taken);
  loop.poll();  // the look; it may still be under way, which the contract must bear
  std::thread other(std::move(arrive));
  while (!taken && loop.run_one_for(std::chrono::seconds(30)) > 0) {
  }
  other.join();
  return taken.value_or(fail(Failure::timeout, "nobody woke the taker"));
}

TEST_P(QueueContract, AnArrivalWakesTheTaker) {
  const auto begin = std::chrono::steady_clock::now();
  world_.clock.advance(Millis(0));
  const Jobs taken = take_while(world_, [&] {
    world_.clock.advance(Millis(100));  // due later than the taker's first look
    enqueue(world_.job('a'));
  });
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  ASSERT_EQ(taken->size(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_P(QueueContract, AJobGivenBackWakesTheTaker) {
  enqueue(world_.job('a'));
  const auto held = world_.take(1, std::chrono::hours(1));
  const Jobs taken =
      take_while(world_, [&] { finish(end_of(held.at(0), How::retry, world_.clock.now())); });
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  ASSERT_EQ(taken->size(), 1U);
}

TEST_P(QueueContract, TheNextDueTimeWakesTheTaker) {
  enqueue(world_.job('a', Millis(80)));
  const Jobs taken = take_while(world_, [&] { world_.clock.advance(Millis(80)); });
  ASSERT_TRUE(taken.has_value()) << taken.error().message;
  ASSERT_EQ(taken->size(), 1U);
}

TEST_P(QueueContract, TheEndOfTheBackendWakesTheTaker) {
  const Jobs taken = take_while(world_, [&] { world_.backend.reset(); });
  // The first look may come too late to be answered, or its answer too late to be heard.
  if (taken) {
    EXPECT_TRUE(taken->empty());
  } else {
    EXPECT_THAT(taken.error().kind, ::testing::AnyOf(Failure::unavailable, Failure::timeout));
  }
}

}  // namespace
}  // namespace otpd::storage
