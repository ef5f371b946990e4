#include "net/redis_reader.h"

#include <gmock/gmock.h>

#include "net/redis_command.h"

namespace otpd::net {
namespace {

using Kind = RedisReply::Kind;

std::string show_redis(const RedisReply& reply) {
  switch (reply.kind) {
    case Kind::nil:
      return "nil";
    case Kind::status:
      return "+" + reply.text;
    case Kind::integer:
      return std::to_string(reply.number);
    case Kind::text:
      return "'" + reply.text + "'";
    case Kind::array:
      break;
  }
  std::string all = "[";
  for (const RedisReply& item : reply.items) all += show_redis(item) + ",";
  return all + "]";
}

// All answers in `bytes`, fed in steps; "!" at the end if they are not RESP2.
std::vector<std::string> read_redis(std::string_view bytes, std::size_t step) {
  RedisReader reader;
  std::vector<std::string> said;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!reader.feed(bytes.substr(0, step))) {
      said.emplace_back("!");
      return said;
    }
    for (;;) {
      const auto answer = reader.next();
      if (!answer) said.emplace_back("!");
      if (!answer) return said;
      if (!*answer) break;
      said.push_back(((*answer)->is_error ? "error " : "") + show_redis((*answer)->reply));
    }
  }
  return said;
}

TEST(RedisReaderTest, ReadsEveryKindInAnyCut) {
  const std::vector<std::string> expected = {"+OK",
                                             "-5",
                                             "nil",
                                             "nil",
                                             "''",
                                             "'\r\n" + std::string(1, '\0') + "x'",
                                             "[]",
                                             "[[1,['a',],],nil,[+s,],]",
                                             "error +ERR no such thing",
                                             "+PONG"};
  const std::string all = std::string("+OK\r\n:-5\r\n$-1\r\n*-1\r\n$0\r\n\r\n$4\r\n\r\n") + '\0' +
                          "x\r\n*0\r\n*3\r\n*2\r\n:1\r\n*1\r\n$1\r\na\r\n$-1\r\n*1\r\n+s\r\n"
                          "-ERR no such thing\r\n+PONG\r\n";
  for (const std::size_t step : {std::size_t(1), std::size_t(2), std::size_t(7), all.size()}) {
    EXPECT_EQ(read_redis(all, step), expected) << step;
  }
}

TEST(RedisReaderTest, AnErrorInAnArrayMakesItThatError) {
  EXPECT_EQ(read_redis("*2\r\n:1\r\n-OOM no\r\n:7\r\n", 100),
            (std::vector<std::string>{"error +OOM no", "7"}));
}

TEST(RedisReaderTest, RefusesWhatIsNotResp2) {
  for (const std::string_view bytes :
       {"HTTP/1.1 200 OK\r\n", "%1\r\n+a\r\n+b\r\n", "$x\r\n", ":1a\r\n", "*3000000000\r\n",
        "$-2\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    EXPECT_EQ(read_redis(bytes, 1), std::vector<std::string>{"!"}) << bytes;
  }
}

TEST(RedisReaderTest, TakesNoMoreThanItsLimits) {
  const std::string kilobyte(1024, 'x');
  RedisReader one;
  ASSERT_TRUE(one.feed("$1000000000\r\n"));
  std::size_t taken = 0;
  while (taken <= k_redis_max_answer_bytes && one.feed(kilobyte)) taken += kilobyte.size();
  EXPECT_LT(taken, k_redis_max_answer_bytes);

  RedisReader many;
  ASSERT_TRUE(many.feed("*2000000000\r\n"));
  std::string items;
  for (int i = 0; i < 1000; ++i) items += "$-1\r\n";
  std::size_t fed = 0;
  while (fed <= k_redis_max_answer_items && many.feed(items) && many.next()) fed += 1000;
  EXPECT_LE(fed, k_redis_max_answer_items);
  EXPECT_GT(fed, k_redis_max_answer_items - 1001);
}

TEST(RedisCommandTest, WritesWordsAndScripts) {
  std::string out;
  append_redis_words(out, {"SET", "", std::string_view("a\0b", 3)});
  EXPECT_EQ(out, std::string("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\na\0b\r\n", 28));
  const RedisScript script("return 1");
  EXPECT_EQ(script.sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  const RedisCall call{.words = {"k1", "k2", "a"}, .script = &script, .keys = 2};
  out.clear();
  append_redis_call(out, call, RedisForm::digest);
  EXPECT_EQ(out, "*6\r\n$7\r\nEVALSHA\r\n$40\r\n" + script.sha1() +
                     "\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n$1\r\na\r\n");
  out.clear();
  append_redis_call(out, call, RedisForm::whole);
  EXPECT_EQ(out,
            "*6\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n2\r\n$2\r\nk1\r\n$2\r\nk2\r\n"
            "$1\r\na\r\n");
}

}  // namespace
}  // namespace otpd::net
