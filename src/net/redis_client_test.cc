#include <gmock/gmock.h>

#include "net/event_loops.h"
#include "net/test_redis_client.h"

namespace otpd::net {
namespace {

using testing::HasSubstr;
using Kind = RedisReply::Kind;

struct RedisSingleTest : RedisClientTest {
  TestRedis server;
  RedisSingleTest() { connect(config_for({server.node()})); }
};

TEST_F(RedisSingleTest, AnswersHaveTheirKinds) {
  EXPECT_EQ(ask({"SET", "k", "v\r\n$3"})->kind, Kind::status);
  const auto text = ask({"GET", "k"});
  EXPECT_EQ(text->kind, Kind::text);
  EXPECT_EQ(text->text, "v\r\n$3");
  EXPECT_TRUE(ask({"GET", "none"})->is_nil());
  const auto number = ask({"INCRBY", "n", "-7"});
  EXPECT_EQ(number->kind, Kind::integer);
  EXPECT_EQ(number->number, -7);
  const auto array = ask({"EVAL", "return {1,{'a',false},'b'}", "0"});
  ASSERT_EQ(array->items.size(), 3U);
  EXPECT_EQ(array->items[0].number, 1);
  ASSERT_EQ(array->items[1].items.size(), 2U);
  EXPECT_EQ(array->items[1].items[0].text, "a");
  EXPECT_TRUE(array->items[1].items[1].is_nil());
  EXPECT_EQ(array->items[2].text, "b");
}

TEST_F(RedisSingleTest, PipelinesWhatIsAskedAtOnceAndKeepsTheOrder) {
  ASSERT_TRUE(ping());
  const auto calls = [&] {
    const std::string stats = server.cli({"INFO", "stats"});
    return std::stol(stats.substr(stats.find("total_reads_processed:") + 22));
  };
  const long before = calls();
  for (int i = 0; i < 500; ++i)
    start({"APPEND", "order", std::string(1, static_cast<char>('a' + i % 26))});
  ASSERT_TRUE(run_until([&] { return answered == 500; }));
  for (int i = 0; i < 500; ++i)
    EXPECT_EQ(answers[static_cast<std::size_t>(i)]->value().number, i + 1);
  EXPECT_LT(calls() - before, 30);
  EXPECT_EQ(metric("otpd_redis_calls_total{result=\"ok\"}"), 500);
}

TEST_F(RedisSingleTest, AScriptIsKnownByItsDigestAndLoadedWhereItIsNot) {
  const RedisScript script("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}");
  const RedisCall call{.words = {"n", "x"}, .key = "n", .script = &script, .keys = 1};
  for (int i = 1; i <= 2; ++i) {
    const auto answer = ask(call);
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->items.size(), 3U);
    EXPECT_EQ(answer->items[0].text, "n");
    EXPECT_EQ(answer->items[1].text, "x");
    EXPECT_EQ(answer->items[2].number, i);
  }
  EXPECT_EQ(server.cli({"SCRIPT", "EXISTS", script.sha1()}), "1");
  EXPECT_THAT(server.cli({"INFO", "commandstats"}), HasSubstr("cmdstat_eval:calls=1,"));
  server.cli({"SCRIPT", "FLUSH"});
  EXPECT_EQ(ask(call)->items[2].number, 3);
}

TEST_F(RedisSingleTest, AnErrorThatNoRepetitionMendsIsAFailureWithItsWords) {
  say({"SET", "k", "v"});
  const auto wrong = ask({"LPUSH", "k", "v"});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, Failure::internal);
  EXPECT_THAT(wrong.error().message, HasSubstr("WRONGTYPE"));
  const auto unknown = ask({"NOSUCH", "secret"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, Not(HasSubstr("secret")));
}

TEST_F(RedisSingleTest, AServerThatIsKilledIsMissedAtOnceAndFoundAgain) {
  ASSERT_EQ(say({"SET", "k", "1"}), "OK");
  run_until([after = std::chrono::steady_clock::now() + Millis(300)] {
    return std::chrono::steady_clock::now() > after;
  });
  server.kill();
  run_until([&] { return !ask({"GET", "k"}); });
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    const auto answer = ask({"GET", "k"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Failure::unavailable);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, Millis(500));
  EXPECT_FALSE(ping());
  server.start();
  EXPECT_TRUE(run_until([&] { return say({"SET", "k", "2"}) == "OK"; }));
  EXPECT_TRUE(ping());
  EXPECT_GE(metric("otpd_redis_reconnects_total"), 1);
}

TEST_F(RedisSingleTest, CloseFailsWhatWaitsAndAllThatComes) {
  say({"SET", "k", "v"});
  const auto waiting = start({"BLPOP", "list", "0"});
  run_until([&] {
    return server.cli({"INFO", "clients"}).find("blocked_clients:1") != std::string::npos;
  });
  client->close();
  ASSERT_TRUE(run_until([&] { return answers[waiting].has_value(); }));
  EXPECT_EQ(answers[waiting]->error().kind, Failure::unavailable);
  EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
}

TEST(RedisClientsTest, ACallGoesThroughTheClientOfItsOwnLoopAndComesBackToIt) {
  TestRedis server;
  Metrics metrics;
  RedisConfig config;
  config.nodes = {server.node()};
  EventLoops loops(2, "test");
  boost::asio::io_context stranger;
  std::optional<RedisClients> clients;
  clients.emplace(std::vector{&loops[0], &loops[1]}, config, metrics);
  std::atomic<int> answered = 0;
  std::atomic<int> right = 0;
  auto body = [&](boost::asio::io_context& own) -> Task<void> {
    for (int i = 0; i < 20; ++i) {
      RedisCall call;
      call.words = {"INCR", "n"};
      call.key = "n";
      const auto answer = co_await clients->call(std::move(call));
      if (answer && own.get_executor().running_in_this_thread()) ++right;
    }
    if (co_await clients->ping()) ++right;
    ++answered;
  };
  for (auto* loop : {&loops[0], &loops[1], &stranger}) {
    boost::asio::co_spawn(loop->get_executor(), body(*loop), boost::asio::detached);
  }
  stranger.run_for(std::chrono::seconds(10));
  EXPECT_TRUE(redis_wait_until([&] { return answered == 3; }));
  EXPECT_EQ(right, 63);
  EXPECT_EQ(server.cli({"GET", "n"}), "60");
  EXPECT_THAT(server.cli({"CLIENT", "LIST"}), HasSubstr("name=otpd"));
  loops.stop();
}

}  // namespace
}  // namespace otpd::net
