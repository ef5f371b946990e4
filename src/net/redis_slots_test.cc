#include "net/redis_slots.h"

#include <gtest/gtest.h>

namespace otpd::net {
namespace {

using Kind = RedisReply::Kind;
using Step = RedisNext::Step;

RedisReply number_reply(std::int64_t number) {
  return {.kind = Kind::integer, .number = number};
}
RedisReply text_reply(std::string text) {
  return {.kind = Kind::text, .text = std::move(text)};
}
RedisReply array_reply(std::vector<RedisReply> items) {
  return {.kind = Kind::array, .items = std::move(items)};
}
RedisReply node_reply(std::string host, std::int64_t port) {
  return array_reply({text_reply(std::move(host)), number_reply(port), text_reply("id")});
}

const RedisNode k_asked{"asked", 7000};

// The slots are what `CLUSTER KEYSLOT` of Redis 7.0 says.
TEST(RedisSlotTest, IsTheCrcOfTheHashTag) {
  const struct {
    std::string_view key;
    std::uint16_t slot;
  } cases[] = {
      {"", 0},
      {"123456789", 12739},
      {"foo", 12182},
      {"{foo}bar", 12182},
      {"a{foo}b{bar}", 12182},
      {"{}foo", 9500},
      {"foo{", 7673},
      {"foo{}{bar}", 8363},
      {"foo{{bar}}zap", 4015},
      {"{p17}:r:abc", 10264},
  };
  for (const auto& [key, slot] : cases) {
    EXPECT_EQ(redis_slot(key), slot) << key;
  }
}

TEST(RedisSlotMapTest, KnowsTheMasterOfASlot) {
  const auto map = RedisSlotMap::parse(
      array_reply(
          {array_reply({number_reply(0), number_reply(99), node_reply("a", 1), node_reply("b", 2)}),
           array_reply({number_reply(200), number_reply(16383), node_reply("c", 3)}),
           array_reply({number_reply(100), number_reply(100), node_reply("a", 1)})}),
      k_asked);
  ASSERT_TRUE(map);
  EXPECT_EQ(*map->master(0), (RedisNode{"a", 1}));
  EXPECT_EQ(*map->master(99), (RedisNode{"a", 1}));
  EXPECT_EQ(*map->master(100), (RedisNode{"a", 1}));
  EXPECT_EQ(map->master(101), nullptr);
  EXPECT_EQ(*map->master(16383), (RedisNode{"c", 3}));
  EXPECT_EQ(map->masters().size(), 2U);
  EXPECT_EQ(map->replicas(), (std::vector<RedisNode>{{"b", 2}}));
  EXPECT_TRUE(map->knows({"b", 2}));
  EXPECT_FALSE(map->knows({"b", 3}));
}

TEST(RedisSlotMapTest, TheHostThatIsNotToldIsTheOneThatWasAsked) {
  for (const RedisReply& host : {RedisReply{}, text_reply(""), text_reply("?")}) {
    const auto map = RedisSlotMap::parse(
        array_reply({array_reply({number_reply(0), number_reply(1),
                                  array_reply({host, number_reply(7001), text_reply("id")})})}),
        k_asked);
    ASSERT_TRUE(map);
    EXPECT_EQ(*map->master(0), (RedisNode{"asked", 7001}));
  }
}

TEST(RedisSlotMapTest, MovesASlotToANewMaster) {
  auto map = RedisSlotMap::parse(
      array_reply({array_reply({number_reply(0), number_reply(16383), node_reply("a", 1)})}),
      k_asked);
  map->move(5, {"b", 2});
  EXPECT_EQ(*map->master(5), (RedisNode{"b", 2}));
  EXPECT_EQ(*map->master(6), (RedisNode{"a", 1}));
  for (int port = 3; port < 10'000; ++port) map->move(7, {"c", static_cast<std::uint16_t>(port)});
  EXPECT_LT(map->masters().size(), 1'001U);
  map->move(8, {"b", 2});
  EXPECT_EQ(*map->master(8), (RedisNode{"b", 2}));
}

TEST(RedisSlotMapTest, RefusesWhatIsNoMap) {
  const auto range = [](std::int64_t first, std::int64_t last, RedisReply node) {
    return array_reply({array_reply({number_reply(first), number_reply(last), std::move(node)})});
  };
  const RedisReply cases[] = {
      RedisReply{},
      text_reply("OK"),
      array_reply({}),
      array_reply({text_reply("x")}),
      array_reply({array_reply({number_reply(0), number_reply(1)})}),
      range(-1, 1, node_reply("a", 1)),
      range(0, 16384, node_reply("a", 1)),
      range(0, 1, node_reply("a", 0)),
      range(0, 1, node_reply("a", 65536)),
      range(0, 1, array_reply({text_reply("a")})),
      range(0, 1, text_reply("a")),
  };
  for (const RedisReply& reply : cases) EXPECT_FALSE(RedisSlotMap::parse(reply, k_asked));
}

TEST(RedisNextTest, SaysWhatFollowsFromAnError) {
  const struct {
    std::string_view error;
    Step step;
    Failure failure;
  } cases[] = {
      {"TRYAGAIN Multiple keys request during rehashing of slot", Step::wait, Failure::unavailable},
      {"LOADING Redis is loading the dataset in memory", Step::wait, Failure::unavailable},
      {"BUSY Redis is busy running a script.", Step::wait, Failure::unavailable},
      {"NOREPLICAS Not enough good replicas to write.", Step::wait, Failure::unavailable},
      {"NOSCRIPT No matching script. Please use EVAL.", Step::load, Failure::unavailable},
      {"CLUSTERDOWN The cluster is down", Step::other_node, Failure::unavailable},
      {"CLUSTERDOWN Hash slot not served", Step::other_node, Failure::unavailable},
      {"READONLY You can't write against a read only replica.", Step::other_node,
       Failure::unavailable},
      {"MASTERDOWN Link with MASTER is down", Step::other_node, Failure::unavailable},
      {"OOM command not allowed when used memory > 'maxmemory'.", Step::give_up,
       Failure::unavailable},
      {"MISCONF Redis is configured to save RDB snapshots", Step::give_up, Failure::unavailable},
      {"WRONGTYPE Operation against a key", Step::give_up, Failure::internal},
      {"ERR unknown command", Step::give_up, Failure::internal},
      {"NOPERM this user has no permissions", Step::give_up, Failure::internal},
      {"CROSSSLOT Keys in request don't hash to the same slot", Step::give_up, Failure::internal},
      {"ERR TRYAGAIN", Step::give_up, Failure::internal},
      {"TRYAGAINST", Step::give_up, Failure::internal},
      {"LOADING", Step::wait, Failure::unavailable},
      {"", Step::give_up, Failure::internal},
      {"MOVED", Step::give_up, Failure::internal},
      {"MOVED 1", Step::give_up, Failure::internal},
      {"MOVED 1 host", Step::give_up, Failure::internal},
      {"MOVED 16384 host:1", Step::give_up, Failure::internal},
      {"MOVED -1 host:1", Step::give_up, Failure::internal},
      {"MOVED 1 host:0", Step::give_up, Failure::internal},
      {"MOVED 1 host:65536", Step::give_up, Failure::internal},
      {"ASK x host:1", Step::give_up, Failure::internal},
  };
  for (const auto& [error, step, failure] : cases) {
    const RedisNext next = redis_next(error);
    EXPECT_EQ(next.step, step) << error;
    EXPECT_EQ(next.failure, failure) << error;
  }
}

TEST(RedisNextTest, ReadsWhereToGo) {
  const struct {
    std::string_view error;
    Step step;
    std::uint16_t slot;
    RedisNode node;
  } cases[] = {
      {"MOVED 15495 127.0.0.1:17003", Step::follow, 15495, {"127.0.0.1", 17003}},
      {"ASK 0 node.example:1", Step::ask, 0, {"node.example", 1}},
      {"MOVED 16383 ::1:65535", Step::follow, 16383, {"::1", 65535}},
      {"MOVED 7 :6381", Step::follow, 7, {"", 6381}},
  };
  for (const auto& [error, step, slot, node] : cases) {
    const RedisNext next = redis_next(error);
    EXPECT_EQ(next.step, step) << error;
    EXPECT_EQ(next.slot, slot) << error;
    EXPECT_EQ(next.node, node) << error;
  }
}

TEST(RedisBackoffTest, GrowsUpToATenthOfASecondAndTakesUpToHalfOff) {
  SeededRandom random(1);
  const int longest[] = {2, 4, 8, 16, 32, 64, 100, 100};
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t n = 1; n <= 8; ++n) {
      const auto pause = redis_backoff(n, random).count();
      EXPECT_LE(pause, longest[n - 1]);
      EXPECT_GE(pause, longest[n - 1] / 2);
    }
  }
  EXPECT_LE(redis_backoff(4'000'000'000, random), Millis(100));
}

}  // namespace
}  // namespace otpd::net
