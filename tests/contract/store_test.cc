#include <barrier>
#include <set>
#include <thread>

#include "backends.h"

namespace otpd::storage {
namespace {

using otp::CommitResult;
using How = otp::JobEnd::How;

class StoreContract : public Contract {};
INSTANTIATE_TEST_SUITE_P(Backends, StoreContract, k_backends, backend_name);

TEST_P(StoreContract, AnAbsentRecordHasVersionZero) {
  const otp::Record record = world_.load("nobody");
  EXPECT_EQ(record.version, 0U);
  EXPECT_EQ(record.bytes, "");
}

TEST_P(StoreContract, KeepsBytesAsTheyAre) {
  const std::string key("k\0\xff'key", 7);
  const std::string bytes("\0\x01\xff bytes\0", 10);
  world_.put(key, 0, bytes);
  EXPECT_EQ(world_.load(key).bytes, bytes);
  EXPECT_EQ(world_.load(key.substr(0, 1)).version, 0U);
  world_.put("long", 0, std::string(1 << 20, 'x'));
  EXPECT_EQ(world_.load("long").bytes.size(), 1U << 20);
}

TEST_P(StoreContract, CommitsOnlyOverTheExpectedVersion) {
  const auto first = world_.put("k", 0, "one");
  EXPECT_EQ(world_.commit("k", 0, "two"), CommitResult::conflict);
  EXPECT_EQ(world_.commit("k", first + 1, "two"), CommitResult::conflict);
  EXPECT_EQ(world_.load("k").bytes, "one");
  const auto second = world_.put("k", first, "two");
  EXPECT_NE(second, first);
  EXPECT_EQ(world_.commit("k", first, "three"), CommitResult::conflict);
  EXPECT_EQ(world_.load("k").bytes, "two");
  EXPECT_EQ(world_.commit("other", first, "x"), CommitResult::conflict);
}

TEST_P(StoreContract, EmptyBytesDelete) {
  const auto version = world_.put("k", 0, "one");
  EXPECT_EQ(world_.commit("k", 0, ""), CommitResult::conflict);
  EXPECT_EQ(world_.commit("k", version, ""), CommitResult::done);
  EXPECT_EQ(world_.load("k").version, 0U);
  EXPECT_EQ(world_.commit("k", version, ""), CommitResult::conflict);
  EXPECT_EQ(world_.commit("k", 0, ""), CommitResult::done);
}

TEST_P(StoreContract, NeverGivesAVersionTwice) {
  std::set<std::uint64_t> seen;
  std::uint64_t version = 0;
  for (int round = 0; round < 20; ++round) {
    version = world_.put("k", version, "bytes");
    EXPECT_TRUE(seen.insert(version).second) << version;
    if (round % 3 == 0) {
      ASSERT_EQ(world_.commit("k", version, ""), CommitResult::done);
      EXPECT_EQ(world_.commit("k", version, "ghost"), CommitResult::conflict);
      version = 0;
    }
  }
}

TEST_P(StoreContract, RecallsNothingOrWhatIsStored) {
  const auto absent = world_.store().recall("k");
  EXPECT_EQ(absent.value_or(otp::Record{}).version, 0U);
  const auto version = world_.put("k", 0, "bytes");
  const auto recalled = world_.store().recall("k");
  if (!recalled) return;  // this backend keeps nothing at hand
  EXPECT_EQ(recalled->version, version);
  EXPECT_EQ(recalled->bytes, "bytes");
}

TEST_P(StoreContract, WritesEffectsWithTheState) {
  world_.put("k", 0, "one", {.enqueue = {world_.job('a')}, .events = {world_.event()}});
  EXPECT_EQ(world_.stats().waiting, 1U);
  EXPECT_EQ(world_.events().size(), 1U);
}

TEST_P(StoreContract, AConflictWritesNoEffect) {
  const auto version = world_.put("k", 0, "one", {.enqueue = {world_.job('a')}});
  const auto taken = world_.take();
  ASSERT_EQ(taken.size(), 1U);
  for (const std::string bytes : {"two", ""}) {
    EXPECT_EQ(world_.commit("k", version + 1000, bytes,
                            {.enqueue = {world_.job('b')},
                             .finish = {end_of(taken[0], How::done)},
                             .events = {world_.event()}}),
              CommitResult::conflict);
  }
  EXPECT_EQ(world_.stats().waiting, 0U);
  EXPECT_EQ(world_.stats().leased, 1U);
  EXPECT_TRUE(world_.events().empty());
}

TEST_P(StoreContract, AppendWritesEffectsAlone) {
  world_.append({.enqueue = {world_.job('a')}, .events = {world_.event()}});
  EXPECT_EQ(world_.stats().waiting, 1U);
  EXPECT_EQ(world_.events().size(), 1U);
  EXPECT_TRUE(await(world_.store().ping()).has_value());
}

TEST_P(StoreContract, RefusesWhatIsTooLarge) {
  auto kind = [this](const otp::Key& key, const std::string& bytes, otp::Effects effects = {}) {
    auto result = await(world_.store().commit(key, 0, bytes, world_.clock.now(), effects));
    return result ? std::optional<Failure>() : result.error().kind;
  };
  EXPECT_EQ(kind("", "x"), Failure::invalid);
  EXPECT_EQ(kind(std::string(257, 'k'), "x"), Failure::invalid);
  EXPECT_EQ(kind("k", std::string((1 << 20) + 1, 'x')), Failure::invalid);
  otp::NewJob short_id = world_.job('a');
  short_id.id = "short";
  EXPECT_EQ(kind("k", "x", {.enqueue = {short_id}}), Failure::invalid);
  audit::Event long_detail = world_.event();
  long_detail.detail = std::string(1025, 'd');
  EXPECT_EQ(kind("k", "x", {.events = {long_detail}}), Failure::invalid);
  EXPECT_EQ(world_.load("k").version, 0U);
}

// What each of many threads does at the same instant.
template <class Body>
void race(int threads, Body body) {
  std::barrier gate(threads);
  std::vector<std::thread> racers;
  for (int i = 0; i < threads; ++i) {
    racers.emplace_back([&, i] {
      gate.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& racer : racers) racer.join();
}

TEST_P(StoreContract, OfManyCommittersOneWinsEachVersion) {
  std::uint64_t version = 0;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> winner{-1};
    std::atomic<int> wins{0};
    race(64, [&](int i) {
      const otp::NewJob job = {
          .id = std::string(15, static_cast<char>(round)) + static_cast<char>(i),
          .key = "k",
          .due_at = k_start,
          .expires_at = k_start,
          .sealed = {}};
      if (world_.commit("k", version, std::to_string(i), {.enqueue = {job}}) ==
          CommitResult::done) {
        ++wins;
        winner = i;
      }
    });
    ASSERT_EQ(wins, 1);
    const otp::Record record = world_.load("k");
    EXPECT_EQ(record.bytes, std::to_string(winner.load()));
    version = record.version;
  }
  EXPECT_EQ(world_.stats().waiting, 20U);
}

TEST_P(StoreContract, EveryThreadReadsWhatItWrote) {
  std::atomic<int> stale{0};
  race(8, [&](int i) {
    const std::string mine = "mine" + std::to_string(i);
    std::uint64_t version = 0;
    for (int n = 0; n < 50; ++n) {
      const std::string bytes = std::to_string(n);
      const bool done = world_.commit(mine, version, bytes) == CommitResult::done;
      const otp::Record record = world_.load(mine);
      if (!done || record.bytes != bytes) ++stale;
      version = record.version;
    }
  });
  EXPECT_EQ(stale, 0);
}

// A counter that is incremented by load and commit loses nothing.
TEST_P(StoreContract, ConcurrentUpdatesLoseNothing) {
  race(8, [&](int) {
    for (int n = 0; n < 25; ++n) {
      while (true) {
        const otp::Record record = world_.load("sum");
        const int sum = record.version == 0 ? 0 : std::stoi(record.bytes);
        if (world_.commit("sum", record.version, std::to_string(sum + 1)) == CommitResult::done) {
          break;
        }
      }
    }
  });
  EXPECT_EQ(world_.load("sum").bytes, "200");
}

}  // namespace
}  // namespace otpd::storage
