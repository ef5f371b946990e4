// What the tests of SmppSession share: a session on a loop that they run by hand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/smpp_session.h"
#include "net/test_smsc.h"

namespace otpd::net {

using Answer = Result<SmppAnswer>;

inline SmppMessage text_message(std::string text) {
  SmppMessage message;
  message.destination = {1, 1, Secret(std::string("14155552671"))};
  message.short_message = Secret(std::move(text));
  return message;
}

struct SmppSessionTest : ::testing::Test {
  SmppSessionConfig config_for(const TestSmsc& smsc) const {
    SmppSessionConfig config;
    config.target = {.host = "127.0.0.1", .port = smsc.port()};
    config.system_id = "otpd";
    config.password = Secret(std::string("secret"));
    config.backoff_base = Millis(10);
    config.backoff_max = Millis(40);
    return config;
  }
  void connect(SmppSessionConfig config) {
    auto made = SmppSession::make(loop, std::move(config), random, [this](const SmppMessage& m) {
      if (on_delivery) on_delivery();
      delivered.emplace_back(m.short_message.reveal());
    });
    session = std::move(made.value());
  }
  // Starts a submit whose answer goes to the end of `answers`.
  void submit(std::string text, Millis timeout = Seconds(5)) {
    auto body = [](SmppSessionTest* test, SmppMessage message, Millis limit) -> Task<void> {
      test->answers.push_back(co_await test->session->submit(message, limit));
    };
    boost::asio::co_spawn(loop.get_executor(), body(this, text_message(std::move(text)), timeout),
                          boost::asio::detached);
  }
  // Runs the loop until `holds`; false after 10 s.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds() && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(50));
    }
    return holds();
  }
  bool run_until_answers(std::size_t count) {
    return run_until([&] { return answers.size() >= count; });
  }

  boost::asio::io_context loop{1};
  SeededRandom random{1};
  std::vector<std::string> delivered;
  std::function<void()> on_delivery;
  std::vector<Answer> answers;
  std::unique_ptr<SmppSession> session;
};

}  // namespace otpd::net
