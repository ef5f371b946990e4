// What the tests of RedisClient share: a client on a loop that they run by hand.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/redis_client.h"
#include "net/test_redis.h"

namespace otpd::net {

struct RedisClientTest : ::testing::Test {
  using Answer = Result<RedisReply>;

  ~RedisClientTest() override {
    client.reset();
    loop.restart();
    loop.poll();  // what its end told others
  }
  static RedisConfig config_for(std::vector<RedisNode> nodes) {
    RedisConfig config;
    config.nodes = std::move(nodes);
    return config;
  }
  void connect(RedisConfig config) { client = RedisClient::make(loop, std::move(config), metrics); }

  // Starts a call whose answer goes to `answers[i]`, and returns i.
  std::size_t start(RedisCall call) {
    const std::size_t i = answers.size();
    answers.emplace_back();
    auto body = [](RedisClientTest* test, RedisCall asked, std::size_t at) -> Task<void> {
      auto answer = co_await test->client->call(std::move(asked));
      test->answers[at] = std::move(answer);
      ++test->answered;
    };
    boost::asio::co_spawn(loop.get_executor(), body(this, std::move(call), i),
                          boost::asio::detached);
    return i;
  }
  std::size_t start(std::vector<std::string> words) {
    RedisCall call;
    if (words.size() > 1) call.key = words[1];
    call.words = std::move(words);
    return start(std::move(call));
  }
  // The answer to that call.
  template <class Call>
  Answer ask(Call call) {
    const std::size_t i = start(std::move(call));
    run_until([&] { return answers[i].has_value(); });
    return answers[i].value_or(fail(Failure::internal, "the test waited in vain"));
  }
  Answer ask(std::initializer_list<std::string> words) {
    return ask(std::vector<std::string>(words));
  }
  // The text of the answer, or of the failure.
  std::string say(std::initializer_list<std::string> words) {
    const auto answer = ask(words);
    if (!answer) return "failure: " + answer.error().message;
    return answer->kind == RedisReply::Kind::integer ? std::to_string(answer->number)
                                                     : answer->text;
  }
  Result<void> ping() {
    std::optional<Result<void>> said;
    auto body = [&]() -> Task<void> { said = co_await client->ping(); };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    run_until([&] { return said.has_value(); });
    return said.value_or(fail(Failure::internal, "the test waited in vain"));
  }
  // Runs the loop until `holds`; false after 20 s.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds() && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(10));
    }
    return holds();
  }
  double metric(const std::string& line) const {
    const std::string all = metrics.render();
    const auto at = all.find("\n" + line + " ");
    return at == all.npos ? -1 : std::stod(all.substr(at + line.size() + 2));
  }

  boost::asio::io_context loop{1};
  Metrics metrics;
  std::vector<std::optional<Answer>> answers;
  std::size_t answered = 0;
  std::unique_ptr<RedisClient> client;
};

}  // namespace otpd::net
