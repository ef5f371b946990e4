#include "crypto/hash_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <vector>

#include "base/encoding.h"

namespace otpd::crypto {
namespace {

constexpr HashParams k_quick{HashParams::Algorithm::argon2id, 64, 1};
constexpr HashParams k_keyed{HashParams::Algorithm::hmac, 0, 0};
const std::string k_salt(k_salt_bytes, 's');

// An event loop on a thread of its own.
struct Loop {
  Loop() : guard(context.get_executor()), thread([this] { context.run(); }) {}
  ~Loop() { join(); }
  void spawn(Task<void> task) {
    boost::asio::co_spawn(context.get_executor(), std::move(task), boost::asio::detached);
  }
  // Waits until everything spawned has ended.
  void join() {
    guard.reset();
    if (thread.joinable()) thread.join();
  }
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<Executor> guard;
  std::thread thread;
};

struct HashPoolTest : ::testing::Test {
  Metrics metrics;
  Histogram wait = metrics.seconds("hash_wait_seconds", "Time a hash waits for a thread.");
};

Task<void> hash_into(HashPool& pool, HashPool::Ticket ticket, HashParams params, std::string input,
                     Result<std::string>& out) {
  out = co_await pool.hash(std::move(ticket), params, Secret(std::move(input)), k_salt);
}

// From Debian's argon2 0~20171227 (libargon2, not libsodium):
//   printf %s INPUT | argon2 SALT -id -t PASSES -k KIB -p 1 -l 32 -v 13 -r
TEST(Hash, Argon2idMatchesTheReferenceProgram) {
  const struct {
    HashParams params;
    std::string_view input, salt, digest;
  } cases[] = {
      {{HashParams::Algorithm::argon2id, 7168, 5},
       "otpd known answer",
       "saltsaltsaltsalt",
       "71a88fd544a1be94d1554f8e90055d4a2af795e0c63139fb2ac66d5d23388eb0"},
      {{HashParams::Algorithm::argon2id, 8, 1},
       "otpd known answer",
       "saltsaltsaltsalt",
       "9b4506854ee5d33e3891c1c40ae3855afa9f34f509789e72eae6cbdf19593ad7"},
      {{HashParams::Algorithm::argon2id, 19456, 2},
       "otpd known answer",
       "saltsaltsaltsalt",
       "58a0987be0e4a1bbc425f7bd9df92fac2b1f163396f4d7249a90150ba9783548"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(hex_encode(hash_now(c.params, c.input, c.salt).value()), c.digest);
  }
}

TEST(Hash, KeyedHashIsHmacUnderTheSalt) {
  // printf 'otpd known answer' | openssl dgst -sha256 -hmac saltsaltsaltsalt
  EXPECT_EQ(hex_encode(hash_now(k_keyed, "otpd known answer", "saltsaltsaltsalt").value()),
            "d111416d8d5de3f947aafc0f22c13f8e32e03b118e7dd4d1e7e675c126a54293");
}

TEST(Hash, EveryParameterMatters) {
  const std::string base = hash_now(k_quick, "input", k_salt).value();
  EXPECT_EQ(base.size(), k_digest_bytes);
  EXPECT_EQ(base, hash_now(k_quick, "input", k_salt).value());
  HashParams more_memory = k_quick, more_passes = k_quick;
  more_memory.memory_kib += 8;
  more_passes.passes += 1;
  EXPECT_NE(base, hash_now(more_memory, "input", k_salt).value());
  EXPECT_NE(base, hash_now(more_passes, "input", k_salt).value());
  EXPECT_NE(base, hash_now(k_quick, "inpuu", k_salt).value());
  EXPECT_NE(base, hash_now(k_quick, "input", std::string(k_salt_bytes, 't')).value());
  EXPECT_NE(base, hash_now(k_keyed, "input", k_salt).value());
}

TEST(Hash, RefusesWhatCannotBeHashed) {
  const auto failure = [](const HashParams& params, std::string_view salt) {
    const auto result = hash_now(params, "input", salt);
    return result ? Failure::internal : result.error().kind;
  };
  EXPECT_EQ(failure(k_quick, ""), Failure::invalid);
  EXPECT_EQ(failure(k_quick, std::string(15, 's')), Failure::invalid);
  EXPECT_EQ(failure(k_keyed, std::string(17, 's')), Failure::invalid);
  EXPECT_EQ(failure({HashParams::Algorithm::argon2id, 7, 1}, k_salt), Failure::invalid);
  EXPECT_EQ(failure({HashParams::Algorithm::argon2id, 64, 0}, k_salt), Failure::invalid);
  EXPECT_EQ(failure({HashParams::Algorithm::argon2id, 0, 0}, k_salt), Failure::invalid);
  EXPECT_EQ(failure({HashParams::Algorithm{9}, 64, 1}, k_salt), Failure::invalid);
}

TEST_F(HashPoolTest, GivesTheSameDigestsAsHashNow) {
  HashPool pool({.threads = 2, .queue = 8}, wait);
  Result<std::string> slow, cheap, refused;
  Loop loop;
  loop.spawn(hash_into(pool, pool.reserve().value(), k_quick, "481623", slow));
  loop.spawn(hash_into(pool, pool.reserve().value(), k_keyed, "481623", cheap));
  loop.spawn(hash_into(pool, pool.reserve().value(), {.memory_kib = 1}, "481623", refused));
  loop.join();
  EXPECT_EQ(slow.value_or("failed"), hash_now(k_quick, "481623", k_salt).value());
  EXPECT_EQ(cheap.value_or("failed"), hash_now(k_keyed, "481623", k_salt).value());
  EXPECT_EQ(refused.error().kind, Failure::invalid);
  EXPECT_EQ(pool.depth(), 0U);
  EXPECT_NE(metrics.render().find("hash_wait_seconds_count 2"), std::string::npos);
}

TEST_F(HashPoolTest, RefusesAtOnceWhenEveryPlaceIsTaken) {
  HashPool pool({.threads = 1, .queue = 2}, wait);
  std::vector<HashPool::Ticket> tickets;
  for (int i = 0; i < 3; ++i) tickets.push_back(pool.reserve().value());
  const auto refused = pool.reserve();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, Failure::overloaded);
  EXPECT_EQ(pool.depth(), 0U) << "a ticket is no hash yet";
}

TEST_F(HashPoolTest, AnUnusedTicketGivesItsPlaceBack) {
  HashPool pool({.threads = 1, .queue = 0}, wait);
  {
    HashPool::Ticket ticket = pool.reserve().value();
    const HashPool::Ticket moved = std::move(ticket);
    EXPECT_FALSE(pool.reserve().has_value());
  }
  {
    EXPECT_TRUE(pool.reserve().has_value());
  }
  const auto once_more = pool.reserve();
  EXPECT_TRUE(once_more.has_value());
  EXPECT_FALSE(pool.reserve().has_value()) << "given back once, not twice";
}

TEST_F(HashPoolTest, AUsedTicketGivesItsPlaceBackWhenTheHashHasEnded) {
  HashPool pool({.threads = 1, .queue = 0}, wait);
  for (const HashParams& params : {k_quick, k_keyed, k_quick}) {
    Result<std::string> digest;
    auto ticket = pool.reserve();
    ASSERT_TRUE(ticket.has_value());
    Loop loop;
    loop.spawn(hash_into(pool, std::move(*ticket), params, "481623", digest));
    loop.join();
    EXPECT_TRUE(digest.has_value());
  }
  const auto first = pool.reserve();
  EXPECT_TRUE(first.has_value());
  EXPECT_FALSE(pool.reserve().has_value());
}

TEST_F(HashPoolTest, TwoLoopsHashTwoHundredAtOnce) {
  constexpr int k_each = 100;
  HashPool pool({.threads = 3, .queue = 2 * k_each}, wait);
  std::vector<Result<std::string>> digests(2 * k_each);
  {
    Loop loops[2];
    for (int i = 0; i < 2 * k_each; ++i) {
      loops[i % 2].spawn(hash_into(pool, pool.reserve().value(), k_quick, std::to_string(i),
                                   digests[static_cast<std::size_t>(i)]));
    }
  }
  for (int i = 0; i < 2 * k_each; ++i) {
    EXPECT_EQ(digests[static_cast<std::size_t>(i)].value_or("failed"),
              hash_now(k_quick, std::to_string(i), k_salt).value());
  }
  EXPECT_EQ(pool.depth(), 0U);
}

TEST_F(HashPoolTest, ShutdownAnswersEveryWaitingHash) {
  constexpr std::size_t k_jobs = 60;
  constexpr HashParams slow{HashParams::Algorithm::argon2id, 1024, 20};
  auto pool = std::make_unique<HashPool>(HashPool::Config{.threads = 1, .queue = k_jobs}, wait);
  std::vector<Result<std::string>> digests(k_jobs);
  boost::asio::io_context context{1};
  for (auto& digest : digests) {
    boost::asio::co_spawn(context.get_executor(),
                          hash_into(*pool, pool->reserve().value(), slow, "481623", digest),
                          boost::asio::detached);
  }
  context.poll();  // all are submitted now
  EXPECT_GT(pool->depth(), 0U);
  pool.reset();
  context.run();
  std::size_t unavailable = 0;
  for (const auto& digest : digests) {
    if (digest) continue;
    EXPECT_EQ(digest.error().kind, Failure::unavailable);
    ++unavailable;
  }
  EXPECT_GT(unavailable, k_jobs / 2) << "60 such hashes take seconds; ending the pool must not";
}

TEST_F(HashPoolTest, NoTimeIsSpentOnAHashThatNobodyWaitsFor) {
  // The first keeps the thread for longer than the deadline; the second would for a minute.
  constexpr HashParams slow{HashParams::Algorithm::argon2id, 1024, 2'000};
  constexpr HashParams endless{HashParams::Algorithm::argon2id, 1024, 250'000};
  Loop loop;
  HashPool pool({.threads = 1, .queue = 1, .deadline = Millis(100)}, wait);
  Result<std::string> first, second;
  loop.spawn(hash_into(pool, pool.reserve().value(), slow, "1", first));
  loop.spawn(hash_into(pool, pool.reserve().value(), endless, "2", second));
  loop.join();
  EXPECT_EQ(first.error().kind, Failure::timeout);
  EXPECT_EQ(second.error().kind, Failure::timeout);
  EXPECT_FALSE(pool.reserve().has_value()) << "what still runs or waits keeps its place";
  const auto begin = std::chrono::steady_clock::now();
  while (pool.depth() > 0) std::this_thread::yield();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_TRUE(pool.reserve().has_value());
}

// The hashing threads of this process with their names and nice values.
std::set<std::pair<std::string, int>> hashing_threads() {
  std::set<std::pair<std::string, int>> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const auto tid = static_cast<id_t>(std::stoi(task.path().filename()));
    if (name.starts_with("hash-")) out.emplace(name, getpriority(PRIO_PROCESS, tid));
  }
  return out;
}

TEST_F(HashPoolTest, RunsExactlyItsThreadsBehindTheOthers) {
  const int lower = getpriority(PRIO_PROCESS, 0) + 5;
  const std::set<std::pair<std::string, int>> expected = {
      {"hash-0", lower}, {"hash-1", lower}, {"hash-2", lower}};
  const HashPool pool({.threads = 3, .queue = 30}, wait);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (hashing_threads() != expected && std::chrono::steady_clock::now() < limit) {
    std::this_thread::yield();  // each thread lowers its own priority when it starts
  }
  EXPECT_EQ(hashing_threads(), expected);
}

TEST_F(HashPoolTest, ZeroThreadsMeansOnePerUsableCore) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  HashPool pool({.threads = 0, .queue = 0}, wait);
  sched_setaffinity(0, sizeof before, &before);
  const auto only = pool.reserve();
  EXPECT_TRUE(only.has_value());
  EXPECT_FALSE(pool.reserve().has_value());
}

std::size_t peak_resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

TEST_F(HashPoolTest, TakesTheMemoryOfItsThreadsOnly) {
  constexpr std::uint32_t k_kib = 24 * 1024;
  constexpr HashParams big{HashParams::Algorithm::argon2id, k_kib, 1};
  HashPool pool({.threads = 2, .queue = 40}, wait);
  std::ofstream("/proc/self/clear_refs") << "5";  // forget the peak
  const std::size_t before = peak_resident_kib();
  ASSERT_GT(before, 0U);
  std::vector<Result<std::string>> digests(40);
  {
    Loop loop;
    for (auto& digest : digests) {
      loop.spawn(hash_into(pool, pool.reserve().value(), big, "1", digest));
    }
  }
  for (const auto& digest : digests) EXPECT_TRUE(digest.has_value());
  EXPECT_GE(peak_resident_kib(), before + k_kib / 2) << "the measure works";
  EXPECT_LT(peak_resident_kib(), before + 4 * k_kib) << "2 threads, not 40 hashes";
}

}  // namespace
}  // namespace otpd::crypto
