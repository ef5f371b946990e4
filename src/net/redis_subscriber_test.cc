#include <algorithm>

#include "net/test_redis_client.h"

namespace otpd::net {
namespace {

struct RedisSubscriberTest : RedisClientTest {
  void subscribe(std::vector<std::string> channels) {
    client->subscribe(std::move(channels), [this](const std::string& c) { heard.push_back(c); });
  }
  std::size_t count(const std::string& channel) const {
    return static_cast<std::size_t>(std::ranges::count(heard, channel));
  }
  bool wait_for(const std::string& channel, std::size_t times) {
    return run_until([&] { return count(channel) >= times; });
  }
  std::vector<std::string> heard;
};

TEST_F(RedisSubscriberTest, HearsItsChannelsAndSurvivesALoss) {
  TestRedis server;
  auto config = config_for({server.node()});
  config.call_timeout = Millis(200);
  connect(std::move(config));
  subscribe({"news", "other"});
  ASSERT_TRUE(wait_for("news", 1) && wait_for("other", 1));  // something may have been missed
  server.cli({"SPUBLISH", "news", "x"});
  server.cli({"SPUBLISH", "strange", "x"});
  ASSERT_TRUE(wait_for("news", 2));
  EXPECT_EQ(heard.size(), 3U);
  server.kill();
  server.start();
  ASSERT_TRUE(wait_for("news", 3) && wait_for("other", 2));
  server.cli({"SPUBLISH", "other", "x"});
  EXPECT_TRUE(wait_for("other", 3));
  client->close();
  run_until([&] { return server.cli({"PUBSUB", "SHARDCHANNELS"}).empty(); });
  EXPECT_EQ(server.cli({"PUBSUB", "SHARDCHANNELS"}), "");
}

TEST_F(RedisSubscriberTest, ASilentServerIsGivenUp) {
  TestRedis server;
  auto config = config_for({server.node()});
  config.call_timeout = config.connect_timeout = Millis(100);
  connect(std::move(config));
  subscribe({"news"});
  ASSERT_TRUE(wait_for("news", 1));
  run_until([after = std::chrono::steady_clock::now() + Millis(350)] {
    return std::chrono::steady_clock::now() > after;
  });
  EXPECT_EQ(count("news"), 1U) << "PING keeps it";
  server.pause();
  run_until([after = std::chrono::steady_clock::now() + Millis(350)] {
    return std::chrono::steady_clock::now() > after;
  });
  server.resume();
  EXPECT_TRUE(wait_for("news", 2));
}

}  // namespace
}  // namespace otpd::net
