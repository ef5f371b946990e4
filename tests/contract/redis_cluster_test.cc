// The hot store on a Redis Cluster that changes under it.
#include <atomic>
#include <set>
#include <sstream>
#include <thread>

#include "backends.h"

namespace otpd::storage {
namespace {

using How = otp::JobEnd::How;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// Moves one slot to another master, as an operator's resharding does.
class SlotMove {
 public:
  SlotMove(net::TestRedisCluster& cluster, const std::string& key) {
    slot_ = cluster[0].cli({"CLUSTER", "KEYSLOT", key});
    for (const std::string& line : lines_of(cluster[0].cli({"--raw", "CLUSTER", "NODES"}))) {
      std::istringstream words(line);
      std::string id, address, flags;
      words >> id >> address >> flags;
      if (flags.find("master") == flags.npos) continue;
      const auto port = std::stoi(address.substr(address.find(':') + 1));
      masters_.push_back({id, &cluster.at(static_cast<std::uint16_t>(port))});
    }
    for (std::size_t i = 0; i < masters_.size(); ++i) {
      if (!keys(*masters_[i].node, 1).empty()) from_ = i;
    }
    to_ = (from_ + 1) % masters_.size();
  }

  void begin() const {
    to().node->cli({"CLUSTER", "SETSLOT", slot_, "IMPORTING", from().id});
    from().node->cli({"CLUSTER", "SETSLOT", slot_, "MIGRATING", to().id});
  }
  // The keys there whose names hold `part`, and how many were moved.
  std::size_t migrate(const std::string& part = "", int most = 500) const {
    std::vector<std::string> words = {
        "MIGRATE", "127.0.0.1", std::to_string(to().node->port()), "", "0", "5000", "KEYS"};
    const std::size_t head = words.size();
    for (const std::string& name : keys(*from().node, most)) {
      if (name.find(part) != name.npos) words.push_back(name);
    }
    if (words.size() > head) from().node->cli(words);
    return words.size() - head;
  }
  void finish() const {
    while (migrate() > 0) {
    }
    for (const Master* master : {&to(), &from()}) {
      master->node->cli({"CLUSTER", "SETSLOT", slot_, "NODE", to().id});
    }
  }
  bool is_done() const { return keys(*from().node, 1).empty() && !keys(*to().node, 1).empty(); }

 private:
  struct Master {
    std::string id;
    net::TestRedis* node;
  };
  std::vector<std::string> keys(net::TestRedis& node, int most) const {
    return lines_of(node.cli({"--raw", "CLUSTER", "GETKEYSINSLOT", slot_, std::to_string(most)}));
  }
  const Master& from() const { return masters_[from_]; }
  const Master& to() const { return masters_[to_]; }

  std::string slot_;
  std::vector<Master> masters_;
  std::size_t from_ = 0;
  std::size_t to_ = 0;
};

// Writes states with jobs and events, and takes and ends the jobs, until it is told to stop.
class Load {
 public:
  explicit Load(World& world) : world_(world) {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this, i] { write(i); });
    threads_.emplace_back([this] { deliver(); });
  }
  // Ends when everything written is delivered.
  void stop() {
    writing_ = false;
    for (std::thread& thread : threads_) thread.join();
  }

  std::atomic<int> written = 0;
  std::atomic<int> delivered = 0;
  std::atomic<int> twice = 0;
  std::atomic<int> errors = 0;

 private:
  void write(int writer) {
    for (int n = 0; writing_; ++n) {
      otp::NewJob job = world_.job('a');
      job.id = std::to_string(1'000'000'000'000'000 + 3 * n + writer);
      const otp::Key key = "k" + job.id;
      audit::Event event;
      event.id = job.id;
      event.event_type = audit::event_type::k_send;
      const auto done =
          await(world_.store().commit(key, 0, "state", world_.clock.now() + std::chrono::hours(1),
                                      {.enqueue = {job}, .events = {event}}));
      const auto there = await(world_.store().load(key));
      if (!done || !there || there->bytes != "state") {
        ++errors;
      } else {
        ++written;
      }
    }
  }
  void deliver() {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    std::set<std::string> seen;
    while (writing_ || delivered < written) {
      if (std::chrono::steady_clock::now() > patience) return;
      const auto jobs =
          await(world_.queue().take(world_.clock.now(), std::chrono::hours(1), 20, Millis(20)));
      if (!jobs) {
        ++errors;
        continue;
      }
      for (const delivery::Job& job : *jobs) {
        if (!seen.insert(job.id).second) ++twice;
        const auto ended = await(world_.store().append({.finish = {end_of(job, How::done)}}));
        ended ? ++delivered : ++errors;
      }
    }
  }

  World& world_;
  std::atomic<bool> writing_ = true;
  std::vector<std::thread> threads_;
};

TEST(RedisCluster, ASlotThatMovesUnderLoadLosesNothingAndTroublesNobody) {
  World world;
  RedisBackendConfig config = redis_cluster_config(world);
  config.partitions = 2;  // so that half of the load meets the moving slot
  world.backend = make_redis_world(config, world);
  Load load(world);
  std::this_thread::sleep_for(Millis(300));
  const SlotMove move(test_redis_cluster(), config.prefix + ":{p0}");
  move.begin();
  move.migrate("", 20);
  std::this_thread::sleep_for(Millis(150));
  move.finish();
  std::this_thread::sleep_for(Millis(300));
  load.stop();
  EXPECT_TRUE(move.is_done());
  EXPECT_GT(load.written, 100);
  EXPECT_EQ(load.delivered, load.written);
  EXPECT_EQ(load.twice, 0);
  EXPECT_EQ(load.errors, 0);
  EXPECT_EQ(world.stats().leased, 0U);
  EXPECT_EQ(world.stats().waiting, 0U);
  std::uint64_t events = 0;
  for (const audit::Head& head : await(world.audit().heads()).value()) events += head.number;
  EXPECT_EQ(events, static_cast<std::uint64_t>(load.written));
}

TEST(RedisCluster, JobsThatMoveStayDueUntilTheyAreThere) {
  World world;
  RedisBackendConfig config = redis_cluster_config(world);
  config.partitions = 1;
  world.backend = make_redis_world(config, world);
  for (const char letter : {'a', 'b', 'c'}) world.append({.enqueue = {world.job(letter)}});
  const auto held = world.take(1, std::chrono::minutes(1));
  ASSERT_EQ(held.size(), 1U);
  const SlotMove move(test_redis_cluster(), config.prefix + ":{p0}");
  move.begin();
  ASSERT_EQ(move.migrate(":j:"), 3U);
  EXPECT_TRUE(world.take(10).empty());
  move.finish();
  EXPECT_TRUE(move.is_done());
  EXPECT_EQ(world.take(10).size(), 2U);
  world.append({.finish = {end_of(held[0], How::done)}});
  EXPECT_EQ(world.stats().leased, 2U);
}

}  // namespace
}  // namespace otpd::storage
