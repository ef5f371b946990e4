#include "net/http_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <thread>
#include <vector>

#include "net/test_peer.h"
#include "net/test_server.h"

namespace otpd::net {
namespace {

constexpr std::string_view k_get = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

TEST(HttpServer, KeepsTheConnectionAndAnswersEachRequest) {
  TestServer server;
  TestPeer peer(server.port());
  for (int i = 0; i < 3; ++i) {
    const RawAnswer answer = peer.ask(post("/echo?q=" + std::to_string(i), "body"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /echo q=" + std::to_string(i) + " 127.0.0.1 body");
    EXPECT_TRUE(answer.head.contains("Date: "));
    EXPECT_FALSE(answer.head.contains("Connection: close"));
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  TestPeer peer(server.port());
  peer.send(post("/slow", "1") + post("/echo", "2") + post("/echo", "3") +
            std::string(k_get).substr(0, 9));
  EXPECT_TRUE(peer.read_answer().body.ends_with("/slow  127.0.0.1 1"));
  EXPECT_TRUE(peer.read_answer().body.ends_with("2"));
  EXPECT_TRUE(peer.read_answer().body.ends_with("3"));
  EXPECT_EQ(peer.ask(k_get.substr(9)).body, "GET /echo  127.0.0.1 ");
}

TEST(HttpServer, ClosesWhenTheClientAsks) {
  TestServer server;
  TestPeer closing(server.port());
  const RawAnswer answer =
      closing.ask("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.head.contains("Connection: close"));
  EXPECT_TRUE(closing.closed());

  TestPeer old(server.port());
  EXPECT_EQ(old.ask("GET /echo HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(old.closed());

  TestPeer old_staying(server.port());
  for (int i = 0; i < 2; ++i) {
    const RawAnswer kept = old_staying.ask("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.status, 200);
    EXPECT_TRUE(kept.head.contains("Connection: keep-alive"));
  }
}

TEST(HttpServer, AnswersHeadWithoutABodyAndNoContentWithoutALength) {
  TestServer server;
  TestPeer peer(server.port());
  peer.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  const RawAnswer head = peer.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.head.contains("Content-Length: 22\r\n")) << head.head;
  peer.send("GET /empty HTTP/1.1\r\nHost: a\r\n\r\n");
  const RawAnswer empty = peer.read_answer(true);
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.head.contains("Content-Length"));
  EXPECT_EQ(peer.ask(k_get).status, 200);
}

TEST(HttpServer, InvitesOnceAndReadsTheBody) {
  TestServer server;
  TestPeer peer(server.port());
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(peer.ask(head).status, 100);
    peer.send("bo");
    EXPECT_TRUE(peer.ask("dy").body.ends_with("body"));
  }
  EXPECT_TRUE(peer.ask(head + "body").body.ends_with("body")) << "the body did not wait";
  const RawAnswer refused = peer.ask(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.status, 413);
}

TEST(HttpServer, AnswersMalformedRequestsThroughTheErrorPageAndCloses) {
  TestServer server;
  for (const Malformed& malformed : malformed_requests()) {
    const std::string shown = malformed.bytes.substr(0, 100);
    TestPeer peer(server.port());
    const RawAnswer answer = peer.ask(malformed.bytes);
    EXPECT_EQ(answer.status, malformed.status) << shown;
    EXPECT_TRUE(answer.body.starts_with("error page " + std::to_string(malformed.status)));
    EXPECT_TRUE(answer.head.contains("Connection: close")) << shown;
    EXPECT_TRUE(answer.head.contains("X-Error: yes")) << shown;
    peer.finish_sending();
    EXPECT_TRUE(peer.closed()) << shown;
    EXPECT_EQ(TestPeer(server.port()).ask(k_get).status, 200);
  }
}

// A client that is still sending a huge body must be able to read why that was useless.
TEST(HttpServer, LetsAClientReadTheRefusalOfABodyItStillSends) {
  TestServer server;
  TestPeer peer(server.port());
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n");
  peer.send(std::string(500'000, 'x'));
  EXPECT_EQ(peer.read_answer().status, 413);
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(peer.send("x")) << "the server must not reset";
}

TEST(HttpServer, AnswersAHalfRequestOfAClientThatStopsSending) {
  TestServer server;
  TestPeer header(server.port());
  header.send("GET / HTTP/1.1\r\nHo");
  header.finish_sending();
  EXPECT_EQ(header.read_answer().status, 400);
  TestPeer body(server.port());
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf");
  body.finish_sending();
  EXPECT_EQ(body.read_answer().status, 400);
  TestPeer nothing(server.port());
  nothing.finish_sending();
  EXPECT_TRUE(nothing.closed());
  TestPeer whole(server.port());
  whole.send(k_get);
  whole.finish_sending();
  EXPECT_EQ(whole.read_answer().status, 200);
  EXPECT_TRUE(whole.closed());
}

TEST(HttpServer, EndsIdleConnectionsWithoutAWord) {
  HttpServerConfig config;
  config.idle_timeout = Millis(50);
  TestServer server(config);
  TestPeer silent(server.port());
  EXPECT_TRUE(silent.closed());
  TestPeer once(server.port());
  EXPECT_EQ(once.ask(k_get).status, 200);
  EXPECT_TRUE(once.closed());
}

// One byte now and then must not keep a connection: the deadline is for the whole part.
TEST(HttpServer, EndsSlowDripClientsWith408) {
  HttpServerConfig config;
  config.header_timeout = Millis(150);
  config.body_timeout = Millis(150);
  TestServer server(config);
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n";
  for (const std::string& prefix : {std::string(), head + "\r\n"}) {
    TestPeer peer(server.port());
    peer.send(prefix);
    std::atomic<bool> enough{false};
    std::thread dripping([&] {
      const std::string drip = head + std::string(100'000, 'y');
      for (std::size_t i = 0; i < drip.size() && !enough.load(); ++i) {
        if (!peer.send(drip.substr(i, 1))) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(peer.read_answer().status, 408);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    enough = true;
    dripping.join();
  }
}

// So that whoever makes the error page knows whom it is for.
TEST(HttpServer, RefusalsKnowWhatWasAsked) {
  HttpServerConfig config;
  config.header_timeout = config.body_timeout = Millis(100);
  config.request_timeout = Millis(200);
  TestServer server(config);
  const std::string from = "Host: a\r\nOrigin: https://a.example\r\n";
  const auto head = [&](const std::string& path, const std::string& more) {
    return "POST " + path + "?q HTTP/1.1\r\n" + from + more;
  };
  const std::string long_field = "X: " + std::string(k_malformed_header_bytes, 'x');
  const std::tuple<std::string, int, std::string> cases[] = {
      {head("/a", "Content-Length: 999999\r\n\r\n"), 413, "/a of https://a.example"},
      {head("/a", long_field), 431, "/a of https://a.example"},
      {"POST /a HTTP/1.1\r\nHost: a\r\n" + long_field + from, 431, "/a of "},
      {head("/a", "Content-Length: 5\r\n\r\n1"), 408, "/a of https://a.example"},
      {head("/a", "Content-Len"), 408, "/a of https://a.example"},
      {"POST /a HTTP/1.1\r\nOrigin: https://a.exam", 408, "/a of "},
      {"POST /a HTTP/1.1\r\nOrigin: https://a.example\r\n" + from + "X", 408, "/a of "},
      {head("/throw", "\r\n"), 500, "/throw of https://a.example"},
      {head("/held", "\r\n"), 503, "/held of https://a.example"},
      {"nonsense\r\n\r\n", 400, " of "},
  };
  for (const auto& [bytes, status, asked] : cases) {
    const RawAnswer answer = TestPeer(server.port()).ask(bytes);
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 100);
    EXPECT_TRUE(answer.head.contains("X-Asked: " + asked + "\r\n")) << answer.head;
  }
  // The request after one with an origin has none of it.
  TestPeer peer(server.port());
  EXPECT_EQ(peer.ask(head("/a", "\r\n")).status, 200);
  EXPECT_TRUE(peer.ask("POST /b HTTP/1.1\r\n\r\n").head.contains("X-Asked: /b of \r\n"));
}

TEST(HttpServer, AnswersForAHandlerThatIsLate) {
  HttpServerConfig config;
  config.request_timeout = Millis(60);
  TestServer server(config);
  TestPeer peer(server.port());
  const RawAnswer answer = peer.ask(post("/held", ""));
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.head.contains("Connection: close"));
  EXPECT_TRUE(peer.closed());
  server.release_held();  // the handler ends now; its answer goes nowhere
  server.wait_for_finished(1);
  EXPECT_EQ(TestPeer(server.port()).ask(k_get).status, 200);
}

TEST(HttpServer, AnswersForAHandlerThatThrows) {
  TestServer server;
  TestPeer peer(server.port());
  EXPECT_EQ(peer.ask(post("/throw", "")).status, 500);
  EXPECT_EQ(peer.ask(post("/throw-other", "")).status, 500);
  EXPECT_EQ(peer.ask(k_get).status, 200);
}

TEST(HttpServer, SurvivesClientsThatLeaveWhileTheHandlerRuns) {
  TestServer server;
  for (int i = 0; i < 20; ++i) {
    TestPeer peer(server.port());
    peer.send(post("/held", std::to_string(i)));
    server.wait_for_held(1);
    if (i % 2 == 0) {
      peer.reset();
    } else {
      peer.close();
    }
    server.release_held();
    server.wait_for_finished(static_cast<std::size_t>(i) + 1);
  }
  EXPECT_EQ(TestPeer(server.port()).ask(k_get).status, 200);
}

TEST(HttpServer, ClosesConnectionsBeyondTheLimitAtOnce) {
  HttpServerConfig config;
  config.max_connections = 2;
  TestServer server(config);
  TestPeer first(server.port());
  TestPeer second(server.port());
  EXPECT_EQ(first.ask(k_get).status, 200);
  EXPECT_EQ(second.ask(k_get).status, 200);
  TestPeer third(server.port());
  EXPECT_TRUE(third.closed());
  first.close();
  server.wait_for_connections(1);
  EXPECT_EQ(TestPeer(server.port()).ask(k_get).status, 200);
}

TEST(HttpServer, DrainsLettingRequestsInProgressEnd) {
  TestServer server;
  TestPeer idle(server.port());
  EXPECT_EQ(idle.ask(k_get).status, 200);
  TestPeer busy(server.port());
  busy.send(post("/held", "last"));
  server.wait_for_held(1);
  std::atomic<bool> drained{false};
  std::thread draining([&] {
    server->drain(Millis(10'000));
    drained = true;
  });
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(drained.load());
  server.release_held();
  const RawAnswer answer = busy.read_answer();
  EXPECT_TRUE(answer.body.ends_with("last"));
  EXPECT_TRUE(answer.head.contains("Connection: close"));
  EXPECT_TRUE(busy.closed());
  busy.close();
  draining.join();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_FALSE(TestPeer(server.port()).connected());
}

TEST(HttpServer, DrainsNoLongerThanTheLimit) {
  TestServer server;
  TestPeer busy(server.port());
  busy.send(post("/held", ""));
  server.wait_for_held(1);
  server->drain(Millis(30));
  EXPECT_EQ(server->connections(), 1U);
  server.release_held();
  EXPECT_EQ(busy.read_answer().status, 200);
}

TEST(HttpServer, KeepsHandlersFromSplittingAnswers) {
  TestServer server;
  TestPeer peer(server.port());
  const RawAnswer answer = peer.ask("GET /bad-headers HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.head.contains("Injected")) << answer.head;
  EXPECT_TRUE(answer.head.contains("X-Good: kept"));
}

TEST(HttpServer, SaysWhyItCannotListen) {
  EventLoops loops(1, "test");
  TestServer server;
  HttpServerConfig config;
  config.port = server.port();
  const auto taken = HttpServer::listen(loops, config, {}, {});
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().kind, Failure::unavailable);
  EXPECT_TRUE(taken.error().message.contains("127.0.0.1 port " + std::to_string(config.port)));
  EXPECT_TRUE(taken.error().message.contains("Address already in use"));
  config.address = "localhost";
  const auto unparsable = HttpServer::listen(loops, config, {}, {});
  ASSERT_FALSE(unparsable.has_value());
  EXPECT_EQ(unparsable.error().kind, Failure::invalid);
}

TEST(HttpServer, NamesIpv4PeersOfADualStackSocketPlainly) {
  HttpServerConfig config;
  config.address = "::";
  TestServer server(config);
  TestPeer peer(server.port());
  EXPECT_EQ(peer.ask(k_get).body, "GET /echo  127.0.0.1 ");
}

TEST(HttpServer, ServesManyConnectionsOnTwoLoops) {
  TestServer server({}, 2);
  std::atomic<int> good{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 5; ++t) {
    threads.emplace_back([&, t] {
      std::vector<TestPeer> peers;
      for (int c = 0; c < 10; ++c) peers.emplace_back(server.port());
      for (int round = 0; round < 20; ++round) {
        const std::string body = std::to_string(t * 100 + round);
        for (TestPeer& peer : peers) peer.send(post("/slow", body));
        for (TestPeer& peer : peers) {
          if (peer.read_answer().body.ends_with(" " + body)) ++good;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good.load(), 1000);
}

}  // namespace
}  // namespace otpd::net
