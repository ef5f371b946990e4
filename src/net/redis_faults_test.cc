#include <gmock/gmock.h>

#include "net/test_certificate.h"
#include "net/test_redis_client.h"
#include "net/test_scripted_server.h"

namespace otpd::net {
namespace {

using testing::HasSubstr;
using FaultsClock = std::chrono::steady_clock;

struct RedisFaultsTest : RedisClientTest {
  static RedisConfig quick_config(const TestRedis& server) {
    auto config = config_for({server.node()});
    config.connect_timeout = Millis(200);
    config.call_timeout = Millis(200);
    return config;
  }
  Millis since(FaultsClock::time_point begun) const {
    return std::chrono::duration_cast<Millis>(FaultsClock::now() - begun);
  }
};

TEST_F(RedisFaultsTest, AServerThatHangsHoldsNoCallBeyondItsDeadline) {
  TestRedis server;
  connect(quick_config(server));
  ASSERT_EQ(say({"SET", "k", "v"}), "OK");
  server.pause();
  auto begun = FaultsClock::now();
  for (int i = 0; i < 50; ++i) start({"INCR", "n"});
  ASSERT_TRUE(run_until([&] { return answered == 51; }));
  EXPECT_GE(since(begun), Millis(195));
  EXPECT_LT(since(begun), Millis(300));
  EXPECT_EQ(answers[1]->error().kind, Failure::timeout);
  for (std::size_t i = 1; i < 51; ++i) EXPECT_FALSE(*answers[i]);  // they waited on the same one
  begun = FaultsClock::now();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
  EXPECT_LT(since(begun), Millis(100));
  server.resume();
  EXPECT_TRUE(run_until([&] { return say({"GET", "k"}) == "v"; }));
  // What was written was done once at most.
  EXPECT_EQ(say({"GET", "n"}), "50");
}

TEST_F(RedisFaultsTest, AServerThatHangsIsFoundOutWithoutACall) {
  TestRedis server;
  connect(quick_config(server));
  ASSERT_EQ(say({"SET", "k", "v"}), "OK");
  server.pause();
  run_until([after = FaultsClock::now() + Millis(450)] { return FaultsClock::now() > after; });
  const auto begun = FaultsClock::now();
  EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
  EXPECT_LT(since(begun), Millis(100));
  server.resume();
  EXPECT_TRUE(run_until([&] { return say({"GET", "k"}) == "v"; }));
}

TEST_F(RedisFaultsTest, WhatIsNotRespEndsTheConnection) {
  ScriptedServer server({[](ScriptedConnection& peer) {
    peer.read_until("PING\r\n");
    peer.send("+OK\r\n+PONG\r\n");
    peer.read_until("k\r\n");
    peer.send("HTTP/1.1 400 Bad Request\r\n");
    peer.wait_until_closed();
  }});
  connect(config_for({{"127.0.0.1", server.port()}}));
  EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
}

TEST_F(RedisFaultsTest, WhatMayHaveBeenDoneIsNotRepeatedAndWhatWasNotWrittenIs) {
  std::atomic<int> written = 0;
  ScriptedServer server({[&](ScriptedConnection& peer) {
    peer.read_until("PING\r\n");
    peer.send("+OK\r\n+PONG\r\n");
    const std::string words = peer.read_until("WAIT\r\n$1\r\n1\r\n$3\r\n500\r\n");
    if (words.find("first") != words.npos) ++written;
    std::this_thread::sleep_for(Millis(300));
    if (words.find("second") == words.npos) return;
    peer.send(":2\r\n:1\r\n");
    peer.wait_until_closed();
  }});
  connect(config_for({{"127.0.0.1", server.port()}}));
  const auto first =
      start(RedisCall{.words = {"INCR", "first"}, .key = "first", .replicated = true});
  run_until([&] { return written == 1; });
  const auto second =
      start(RedisCall{.words = {"INCR", "second"}, .key = "second", .replicated = true});
  ASSERT_TRUE(run_until([&] { return answered == 2; }));
  EXPECT_EQ(answers[first]->error().kind, Failure::unavailable);
  EXPECT_EQ(written, 1);
  ASSERT_TRUE(*answers[second]) << answers[second]->error().message;
  EXPECT_EQ(answers[second]->value().number, 2);
}

TEST_F(RedisFaultsTest, TheQueueIsBounded) {
  TestRedis server;
  auto config = quick_config(server);
  config.max_waiting = 10;
  connect(std::move(config));
  ASSERT_EQ(say({"SET", "k", "v"}), "OK");
  server.pause();
  for (int i = 0; i < 12; ++i) start({"GET", "k"});
  ASSERT_TRUE(run_until([&] { return answered == 3; }));
  EXPECT_EQ(answers[11]->error().kind, Failure::overloaded);
  EXPECT_EQ(answers[12]->error().kind, Failure::overloaded);
  server.resume();
  ASSERT_TRUE(run_until([&] { return answered == 13; }));
  EXPECT_EQ(metric("otpd_redis_calls_total{result=\"overloaded\"}"), 2);
}

TEST_F(RedisFaultsTest, WithoutAReplicaTheAnswerComesLateAndIsCounted) {
  TestRedis server;
  auto config = config_for({server.node()});
  config.replica_timeout = Millis(200);
  connect(std::move(config));
  const RedisCall call{.words = {"INCR", "n"}, .key = "n", .replicated = true};
  auto begun = FaultsClock::now();
  start(call);
  start(call);
  ASSERT_TRUE(run_until([&] { return answered == 2; }));
  EXPECT_GE(since(begun), Millis(195));
  EXPECT_EQ(answers[1]->value().number, 2);
  EXPECT_EQ(metric("otpd_redis_unreplicated_total"), 2);
  begun = FaultsClock::now();
  EXPECT_EQ(ask(call)->number, 3);
  EXPECT_LT(since(begun), Millis(150));
  start(call);
  EXPECT_EQ(say({"GET", "n"}), "4") << "other calls do not wait for a replica";
}

TEST_F(RedisFaultsTest, AServerThatLoadsIsWaitedFor) {
  ScriptedServer server({[](ScriptedConnection& peer) {
    peer.read_until("PING\r\n");
    peer.send("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n");
    for (int i = 0; i < 3; ++i) {
      peer.read_until("k\r\n");
      peer.send(i < 2 ? "-LOADING Redis is loading the dataset in memory\r\n" : "$1\r\nv\r\n");
    }
    peer.wait_until_closed();
  }});
  connect(config_for({{"127.0.0.1", server.port()}}));
  EXPECT_EQ(say({"GET", "k"}), "v");
}

TEST_F(RedisFaultsTest, APasswordIsNeededAndAWrongOneFails) {
  TestRedis server({"--requirepass", "right"});
  auto config = quick_config(server);
  connect(std::move(config));
  EXPECT_THAT(say({"GET", "k"}), HasSubstr("NOAUTH"));
  config = quick_config(server);
  config.password = Secret(std::string("wrong"));
  connect(std::move(config));
  EXPECT_THAT(say({"GET", "k"}), HasSubstr("WRONGPASS"));
  config = quick_config(server);
  config.password = Secret(std::string("right"));
  connect(std::move(config));
  EXPECT_EQ(say({"SET", "k", "v"}), "OK");
}

TEST_F(RedisFaultsTest, AnAclUserMayDoWhatItMay) {
  TestRedis server;
  server.cli({"ACL", "SETUSER", "otpd", "on", ">secret", "~k*", "+get", "+set"});
  auto config = quick_config(server);
  config.user = "otpd";
  config.password = Secret(std::string("secret"));
  connect(std::move(config));
  EXPECT_EQ(say({"SET", "k", "v"}), "OK");
  EXPECT_THAT(say({"SET", "other", "v"}), HasSubstr("NOPERM"));
}

TEST_F(RedisFaultsTest, TlsNeedsACertificateThatIsTheHosts) {
  TestCertificate certificate;
  TestRedis server({"--tls-port", "0", "--tls-cert-file", certificate.certificate_file(),
                    "--tls-key-file", certificate.key_file(), "--tls-ca-cert-file",
                    certificate.certificate_file(), "--tls-auth-clients", "no"});
  auto config = config_for({server.node()});
  config.tls = true;
  connect(std::move(config));
  EXPECT_THAT(say({"GET", "k"}), HasSubstr("certificate"));
  config = config_for({server.node()});
  config.tls = true;
  config.ca_file = certificate.certificate_file();
  connect(std::move(config));
  EXPECT_EQ(say({"SET", "k", "v"}), "OK");
  for (int i = 0; i < 100; ++i) start({"GET", "k"});
  ASSERT_TRUE(run_until([&] { return answered == 102; }));
  EXPECT_EQ(answers.back()->value().text, "v");
}

TEST_F(RedisFaultsTest, AClusterThatIsAwayIsMissedAtOnce) {
  auto config = config_for({{"127.0.0.1", free_port()}, {"127.0.0.1", free_port()}});
  config.cluster = true;
  connect(std::move(config));
  EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
  const auto begun = FaultsClock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask({"GET", "k"}).error().kind, Failure::unavailable);
  EXPECT_EQ(ping().error().kind, Failure::unavailable);
  EXPECT_LT(since(begun), Millis(100));
}

TEST_F(RedisFaultsTest, APairWithoutAClusterIsFollowedToItsMaster) {
  TestRedis first;
  TestRedis second({"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  connect(config_for({second.node(), first.node()}));
  EXPECT_EQ(say({"SET", "k", "v"}), "OK");
  EXPECT_EQ(first.cli({"GET", "k"}), "v");
  first.kill();
  second.cli({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(run_until([&] { return say({"SET", "k", "w"}) == "OK"; }));
}

}  // namespace
}  // namespace otpd::net
