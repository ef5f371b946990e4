#include <atomic>
#include <map>
#include <thread>

#include "net/redis_slots.h"
#include "net/test_redis_client.h"

namespace otpd::net {
namespace {

using ClusterClock = std::chrono::steady_clock;

// One cluster for all of them; each leaves it whole.
struct RedisClusterTest : RedisClientTest {
  static void SetUpTestSuite() { cluster = new TestRedisCluster; }
  static void TearDownTestSuite() {
    delete cluster;
    cluster = nullptr;
  }
  RedisClusterTest() { connect(cluster_config(cluster->nodes())); }

  static RedisConfig cluster_config(std::vector<RedisNode> nodes) {
    auto config = config_for(std::move(nodes));
    config.cluster = true;
    return config;
  }
  // Who the first node says is the master of a key's slot.
  static TestRedis& master_of(const std::string& key) {
    const RedisSlotMap map = map_of(*cluster);
    return cluster->at(map.master(redis_slot(key))->port);
  }
  static RedisSlotMap map_of(TestRedisCluster& of) {
    boost::asio::io_context loop;
    Metrics metrics;
    const auto client = RedisClient::make(loop, config_for({of[0].node()}), metrics);
    std::optional<Result<RedisReply>> slots;
    auto body = [&]() -> Task<void> {
      slots = co_await client->call({.words = {"CLUSTER", "SLOTS"}});
    };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    while (!slots) loop.run_one();
    return RedisSlotMap::parse(slots->value(), of[0].node()).value();
  }
  static TestRedis& another_master(const TestRedis& than) {
    const auto map = map_of(*cluster);
    const auto& masters = map.masters();
    for (const RedisNode& node : masters) {
      if (node.port != than.port()) return cluster->at(node.port);
    }
    throw std::runtime_error("a cluster of one");
  }
  // Keeps `lanes` calls under way until `stop`; `make(i)` is the i-th.
  void keep_calling(int lanes, std::function<RedisCall(int)> make, std::atomic<bool>& stop) {
    auto body = [](RedisClusterTest* test, std::function<RedisCall(int)> make_call,
                   std::atomic<bool>& enough) -> Task<void> {
      while (!enough) {
        const int i = test->made++;
        const auto begun = ClusterClock::now();
        const auto answer = co_await test->client->call(make_call(i));
        test->longest = std::max(test->longest, ClusterClock::now() - begun);
        if (answer) test->acknowledged.push_back(i);
        if (!answer) test->failures.push_back(answer.error());
        if (!answer) co_await sleep_for(Millis(1));
      }
      --test->lanes_left;
    };
    for (int i = 0; i < lanes; ++i) {
      ++lanes_left;
      boost::asio::co_spawn(loop.get_executor(), body(this, make, stop), boost::asio::detached);
    }
  }

  void subscribe(std::vector<std::string> channels) {
    client->subscribe(std::move(channels), [this](const std::string& c) { ++heard[c]; });
  }
  bool wait_for(const std::string& channel, int times) {
    return run_until([&] { return heard[channel] >= times; });
  }
  // Publishes in `channel` and waits until that is heard.
  bool is_heard(const std::string& channel) {
    const int before = heard[channel];
    const auto answer = ask(RedisCall{.words = {"SPUBLISH", channel, "x"}, .key = channel});
    return answer.has_value() && wait_for(channel, before + 1);
  }
  // Gives a slot without keys to another master.
  static void move_slot(std::uint16_t number, TestRedis& from, TestRedis& to) {
    const std::string slot = std::to_string(number);
    const std::string source = from.cli({"CLUSTER", "MYID"});
    const std::string target = to.cli({"CLUSTER", "MYID"});
    to.cli({"CLUSTER", "SETSLOT", slot, "IMPORTING", source});
    from.cli({"CLUSTER", "SETSLOT", slot, "MIGRATING", target});
    for (TestRedis* node : {&to, &from}) node->cli({"CLUSTER", "SETSLOT", slot, "NODE", target});
  }

  static TestRedisCluster* cluster;
  std::map<std::string, int> heard;
  int made = 0;
  int lanes_left = 0;
  std::vector<int> acknowledged;
  std::vector<Error> failures;
  ClusterClock::duration longest{};
};

TestRedisCluster* RedisClusterTest::cluster = nullptr;

TEST_F(RedisClusterTest, EveryKeyIsAskedForAtItsMaster) {
  for (int i = 0; i < 200; ++i) start({"SET", "key" + std::to_string(i), std::to_string(i)});
  ASSERT_TRUE(run_until([&] { return answered == 200; }));
  for (const auto& answer : answers) EXPECT_TRUE(*answer) << (*answer).error().message;
  for (int i = 0; i < 200; ++i) start({"GET", "key" + std::to_string(i)});
  ASSERT_TRUE(run_until([&] { return answered == 400; }));
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(answers[200 + i]->value().text, std::to_string(i));
  }
  EXPECT_EQ(metric("otpd_redis_redirects_total"), 0);
  EXPECT_TRUE(ping());
  EXPECT_TRUE(ask(RedisCall{.words = {"DBSIZE"}}));
}

TEST_F(RedisClusterTest, OneNodeThatAnswersIsEnoughToFindTheOthers) {
  auto nodes = cluster->nodes();
  connect(cluster_config({{"127.0.0.1", free_port()}, nodes[5]}));
  EXPECT_EQ(say({"SET", "some", "v"}), "OK");
  EXPECT_EQ(say({"SET", "other", "v"}), "OK");
}

TEST_F(RedisClusterTest, AReplicatedCallIsAnsweredWhenAReplicaHasIt) {
  for (int i = 0; i < 50; ++i) {
    const std::string key = "replicated" + std::to_string(i);
    start(RedisCall{.words = {"SET", key, "v"}, .key = key, .replicated = true});
  }
  ASSERT_TRUE(run_until([&] { return answered == 50; }));
  for (const auto& answer : answers) EXPECT_TRUE(*answer) << (*answer).error().message;
  EXPECT_EQ(metric("otpd_redis_unreplicated_total"), 0);
  EXPECT_NE(master_of("replicated1").cli({"INFO", "commandstats"}).find("cmdstat_wait:"),
            std::string::npos);
}

TEST_F(RedisClusterTest, ASlotMovesWhileItIsUsedAndNobodyNotices) {
  const RedisScript script("redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[2])");
  TestRedis& from = master_of("{moving}");
  TestRedis& to = another_master(from);
  const std::string slot = std::to_string(redis_slot("{moving}"));
  for (int i = 0; i < 100; ++i) say({"SET", "{moving}old" + std::to_string(i), "0"});
  std::atomic<bool> stop = false;
  keep_calling(
      8,
      [&](int i) {
        const std::string old = "{moving}old" + std::to_string(i % 100);
        if (i % 3 == 0) return RedisCall{.words = {"INCR", old}, .key = old};
        return RedisCall{.words = {old, "{moving}new" + std::to_string(i)},
                         .key = "{moving}",
                         .script = &script,
                         .keys = 2};
      },
      stop);
  std::thread operators([&] {
    const std::string source = from.cli({"CLUSTER", "MYID"});
    const std::string target = to.cli({"CLUSTER", "MYID"});
    std::this_thread::sleep_for(Millis(50));
    to.cli({"CLUSTER", "SETSLOT", slot, "IMPORTING", source});
    from.cli({"CLUSTER", "SETSLOT", slot, "MIGRATING", target});
    for (;;) {
      const std::string keys = from.cli({"CLUSTER", "GETKEYSINSLOT", slot, "2000"});
      if (keys.empty()) break;
      std::vector<std::string> words = {"MIGRATE", "127.0.0.1", std::to_string(to.port()), "", "0",
                                        "5000",    "KEYS"};
      std::istringstream lines(keys);
      for (std::string key; std::getline(lines, key);) words.push_back(key);
      from.cli(words);
    }
    for (TestRedis* node : {&to, &from}) node->cli({"CLUSTER", "SETSLOT", slot, "NODE", target});
    std::this_thread::sleep_for(Millis(100));
    stop = true;
  });
  run_until([&] { return lanes_left == 0; });
  operators.join();
  ASSERT_EQ(lanes_left, 0);
  EXPECT_TRUE(failures.empty()) << failures.size() << ": " << failures[0].message;
  EXPECT_GT(acknowledged.size(), 100U);
  EXPECT_GT(metric("otpd_redis_redirects_total"), 0);
  // Each was done once.
  std::size_t sum = 0;
  for (int i = 0; i < 100; ++i) sum += std::stoul(say({"GET", "{moving}old" + std::to_string(i)}));
  EXPECT_EQ(sum, acknowledged.size());
}

TEST_F(RedisClusterTest, ASubscriptionFollowsASlotToItsNewMaster) {
  std::vector<std::string> channels;
  for (int i = 0; i < 8; ++i) channels.push_back("{p" + std::to_string(i) + "}news");
  subscribe(channels);
  for (const std::string& channel : channels) ASSERT_TRUE(wait_for(channel, 1)) << channel;
  TestRedis& from = master_of(channels[0]);
  move_slot(redis_slot(channels[0]), from, another_master(from));
  ASSERT_TRUE(wait_for(channels[0], 2));
  for (const std::string& channel : channels) EXPECT_TRUE(is_heard(channel)) << channel;
}

TEST_F(RedisClusterTest, AMasterThatDiesIsReplacedByItsReplica) {
  ASSERT_TRUE(ping());
  subscribe({"{dying}news"});
  ASSERT_TRUE(wait_for("{dying}news", 1));
  TestRedis& victim = master_of("{dying}");
  std::atomic<bool> stop = false;
  keep_calling(
      8,
      [](int i) {
        const std::string key = "{dying}" + std::to_string(i);
        return RedisCall{.words = {"SET", key, "v"}, .key = key, .replicated = true};
      },
      stop);
  run_until([&] { return acknowledged.size() > 100; });
  const auto killed = ClusterClock::now();
  victim.kill();
  ASSERT_TRUE(run_until([&] { return !failures.empty(); }));
  const std::size_t before = acknowledged.size();
  ASSERT_TRUE(run_until([&] { return acknowledged.size() > before; }));
  const auto away = ClusterClock::now() - killed;
  stop = true;
  ASSERT_TRUE(run_until([&] { return lanes_left == 0; }));
  EXPECT_LT(away, Millis(8'000));
  EXPECT_LT(longest, Millis(1'300));
  for (const Error& failure : failures) EXPECT_EQ(failure.kind, Failure::unavailable);
  EXPECT_TRUE(ping());
  EXPECT_TRUE(wait_for("{dying}news", 2));
  EXPECT_TRUE(is_heard("{dying}news"));
  for (const int i : acknowledged) {
    ASSERT_EQ(say({"EXISTS", "{dying}" + std::to_string(i)}), "1") << i;
  }
  victim.start();
  EXPECT_TRUE(redis_wait_until([&] { return cluster->is_whole(); }));
}

TEST_F(RedisClusterTest, AMasterThatHangsIsGivenUpInTime) {
  ASSERT_EQ(say({"SET", "{hung}", "v"}), "OK");
  ASSERT_TRUE(ping());
  TestRedis& victim = master_of("{hung}");
  victim.pause();
  const auto begun = ClusterClock::now();
  EXPECT_EQ(ask({"GET", "{hung}"}).error().kind, Failure::timeout);
  EXPECT_LT(ClusterClock::now() - begun, Millis(1'300));
  EXPECT_TRUE(run_until([&] { return ask({"GET", "{hung}"}).has_value(); }));
  EXPECT_LT(ClusterClock::now() - begun, Millis(8'000));
  victim.resume();
  EXPECT_TRUE(redis_wait_until([&] { return cluster->is_whole(); }));
  EXPECT_EQ(say({"GET", "{hung}"}), "v");
}

}  // namespace
}  // namespace otpd::net
