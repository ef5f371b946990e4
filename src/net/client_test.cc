#include "net/client.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <future>

#include "net/test_certificate.h"
#include "net/test_client.h"
#include "net/test_scripted_server.h"
#include "net/test_server.h"

namespace otpd::net {
namespace {

constexpr std::string_view k_ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string local_url(std::uint16_t port, std::string_view path = "/") {
  return "http://127.0.0.1:" + std::to_string(port) + std::string(path);
}

TEST_F(ClientTest, PostsAndReadsTheAnswer) {
  TestServer server;
  HttpCall post;
  post.url = local_url(server.port(), "/echo?a=b");
  post.body = "body";
  const auto answer = call(post);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /echo a=b 127.0.0.1 body");
  EXPECT_EQ(find_header(answer->headers, "content-type"), "text/plain");
}

TEST_F(ClientTest, SendsExactlyTheMethodAndHeadersOfTheCall) {
  std::promise<std::string> seen;
  ScriptedServer server([&](ScriptedConnection& c) {
    for (int i = 0; i < 4; ++i) {
      seen.set_value(c.read_until("\r\n\r\n"));
      c.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const auto head_of = [&](std::string_view method, Headers headers) {
    seen = {};
    auto future = seen.get_future();
    HttpCall request;
    request.method = method;
    request.url = local_url(server.port(), "/x");
    request.headers = std::move(headers);
    EXPECT_TRUE(call(request).has_value());
    return future.get();
  };
  const std::string post = head_of("POST", {{"X-A", "1"}, {"X-Empty", ""}});
  EXPECT_TRUE(post.starts_with("POST /x HTTP/1.1\r\n"));
  EXPECT_TRUE(post.contains("X-A: 1\r\n"));
  EXPECT_TRUE(post.contains("X-Empty:\r\n"));
  EXPECT_TRUE(post.contains("Content-Length: 0\r\n"));
  EXPECT_FALSE(post.contains("Expect"));
  EXPECT_FALSE(post.contains("Content-Type"));
  EXPECT_TRUE(head_of("GET", {}).starts_with("GET /x HTTP/1.1\r\n"));
  EXPECT_TRUE(head_of("DELETE", {}).starts_with("DELETE /x HTTP/1.1\r\n"));
  const std::string head = head_of("HEAD", {});
  EXPECT_TRUE(head.starts_with("HEAD /x HTTP/1.1\r\n"));
  EXPECT_FALSE(head.contains("X-A")) << "headers of the call before";
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, KeepsAndReusesConnections) {
  TestServer server;
  for (int i = 0; i < 50; ++i) {
    HttpCall post;
    post.url = local_url(server.port(), "/echo");
    const std::string body = std::to_string(i);
    post.body = body;
    const auto answer = call(post);
    ASSERT_TRUE(answer.has_value());
    EXPECT_TRUE(answer->body.ends_with(" " + body));
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(ClientTest, ReplacesAKeptConnectionThatTheServerClosed) {
  ScriptedServer server([](ScriptedConnection& c) {
    c.read_until("\r\n\r\n");
    c.send(k_ok);
  });
  HttpCall get;
  get.method = "GET";
  get.url = local_url(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = call(get);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->body, "ok");
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(ClientTest, SendsBasicAuthAndForgetsIt) {
  std::promise<std::string> seen;
  ScriptedServer server([&](ScriptedConnection& c) {
    for (int i = 0; i < 2; ++i) {
      seen.set_value(c.read_until("\r\n\r\n"));
      c.send(k_ok);
    }
  });
  HttpCall get;
  get.method = "GET";
  get.url = local_url(server.port());
  get.user = "user";
  get.password = "p:ss";
  ASSERT_TRUE(call(get).has_value());
  EXPECT_TRUE(seen.get_future().get().contains("Authorization: Basic dXNlcjpwOnNz\r\n"));
  seen = {};
  get.user.clear();
  ASSERT_TRUE(call(get).has_value());
  EXPECT_FALSE(seen.get_future().get().contains("Authorization"));
}

// Far from the 10 s after which the scripted peers close.
constexpr auto k_soon = std::chrono::seconds(5);

TEST_F(ClientTest, GivesUpOnPeersThatDoNotAnswer) {
  for (const std::string_view said : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"}) {
    ScriptedServer server([&](ScriptedConnection& c) {
      c.send(said);
      c.wait_until_closed();
    });
    HttpCall get;
    get.url = local_url(server.port());
    get.timeout = Millis(60);
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = call(get);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::timeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, k_soon);
  }
}

TEST_F(ClientTest, GivesUpInTimeWhileALongerCallWaits) {
  TestServer server;
  HttpCall held;
  held.url = local_url(server.port(), "/held");
  held.connect_timeout = held.timeout = Millis(30'000);
  Client& c = client();
  const auto hold = [&]() -> Task<Result<HttpAnswer>> { return c.http(held); };
  // Two connections, and the timers of connecting out of the way, so that nothing but the time-out
  // of the long call is pending when the short one begins.
  auto first = begin(hold);
  auto second = begin(hold);
  server.wait_for_held(2);
  server.release_held();
  ASSERT_TRUE(first.get().has_value() && second.get().has_value());
  HttpCall brief = held;
  brief.timeout = Millis(400);
  ASSERT_EQ(call(brief).error().kind, Failure::timeout);
  server.wait_for_held(1);
  auto waiting = begin(hold);
  server.wait_for_held(2);

  brief.timeout = Millis(60);
  const auto begin_at = std::chrono::steady_clock::now();
  EXPECT_EQ(call(brief).error().kind, Failure::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin_at, k_soon);
  server.wait_for_held(3);
  server.release_held();
  EXPECT_EQ(waiting.get()->status, 200);
}

TEST_F(ClientTest, SaysWhatFailed) {
  const auto failure_of = [&](const std::string& url) {
    HttpCall get;
    get.url = url;
    const auto answer = call(get);
    EXPECT_FALSE(answer.has_value()) << url;
    return answer ? Error{} : answer.error();
  };
  std::uint16_t unused = 0;
  {
    ScriptedServer gone([](ScriptedConnection&) {});
    unused = gone.port();
  }
  const Error refused = failure_of(local_url(unused));
  EXPECT_EQ(refused.kind, Failure::unavailable);
  EXPECT_TRUE(refused.message.contains("connect")) << refused.message;

  ScriptedServer resetting([](ScriptedConnection& c) { c.reset(); });
  EXPECT_EQ(failure_of(local_url(resetting.port())).kind, Failure::unavailable);
  ScriptedServer closing([](ScriptedConnection& c) { c.read_until("\r\n\r\n"); });
  EXPECT_EQ(failure_of(local_url(closing.port())).kind, Failure::unavailable);
  for (const std::string_view garbage :
       {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "\x16\x03\x01\x02", "<html>hello</html>",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    ScriptedServer babbling([&](ScriptedConnection& c) {
      c.read_until("\r\n\r\n");
      c.send(garbage);
    });
    EXPECT_EQ(failure_of(local_url(babbling.port())).kind, Failure::unavailable) << garbage;
  }
  for (const std::string url : {"", "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1",
                                "http://", "http://a b/", "http://127.0.0.1:99999/"}) {
    EXPECT_EQ(failure_of(url).kind, Failure::invalid) << url;
  }
}

TEST_F(ClientTest, RefusesHeadersThatWouldSplitTheRequest) {
  TestServer server;
  for (const auto& [name, value] : Headers{
           {"X", "a\r\nInjected: b"}, {"X\r\nY", "a"}, {"X", std::string("a\0b", 3)}, {"", "a"}}) {
    HttpCall get;
    get.url = local_url(server.port(), "/echo");
    get.headers = {{name, value}};
    EXPECT_EQ(call(get).error().kind, Failure::invalid);
  }
}

TEST_F(ClientTest, RefusesAnswersThatAreTooLong) {
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"}) {
    ScriptedServer server([&](ScriptedConnection& c) {
      c.read_until("\r\n\r\n");
      c.send(head);
      c.send(std::string(200, 'x'));
    });
    HttpCall get;
    get.url = local_url(server.port());
    get.max_answer_bytes = 199;
    EXPECT_EQ(call(get).error().kind, Failure::invalid);
    get.max_answer_bytes = 200;
    EXPECT_EQ(call(get)->body.size(), 200U);
  }
  ScriptedServer heading([&](ScriptedConnection& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 100; ++i) c.send("X: " + std::string(1000, 'x') + "\r\n");
  });
  HttpCall get;
  get.url = local_url(heading.port());
  EXPECT_EQ(call(get).error().kind, Failure::invalid);
}

TEST_F(ClientTest, DoesNotFollowRedirects) {
  ScriptedServer server([](ScriptedConnection& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  });
  HttpCall get;
  get.url = local_url(server.port());
  EXPECT_EQ(call(get)->status, 302);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(ClientTest, StaysOutOfPrivateNetworksWhereItIsAskedTo) {
  TestServer server;
  HttpCall get;
  get.method = "GET";
  get.public_only = true;
  const std::string port = ":" + std::to_string(server.port()) + "/count";
  const auto refused = [&](const std::string& host) {
    get.url = "http://" + host + port;
    const auto answer = call(get);
    return !answer && answer.error().kind == Failure::invalid;
  };
  for (const char* host :
       {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"}) {
    EXPECT_TRUE(refused(host)) << host;
  }
  get.public_only = false;
  get.url = "http://127.0.0.1" + port;
  EXPECT_TRUE(call(get).has_value());
  get.public_only = true;
  EXPECT_TRUE(refused("127.0.0.1")) << "over the connection that was kept";
}

TEST_F(ClientTest, VerifiesCertificates) {
  const TestCertificate certificate;
  HttpServerConfig tls;
  tls.tls_certificate_file = certificate.certificate_file();
  tls.tls_key_file = certificate.key_file();
  TestServer server(tls);
  HttpCall post;
  post.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/echo";
  const auto untrusted = call(post);
  ASSERT_FALSE(untrusted.has_value());
  EXPECT_EQ(untrusted.error().kind, Failure::unavailable);
  destroy_client();
  config_.ca_file = certificate.certificate_file();
  for (int i = 0; i < 3; ++i) {
    const auto trusted = call(post);
    ASSERT_TRUE(trusted.has_value()) << trusted.error().message;
    EXPECT_EQ(trusted->status, 200);
  }
  EXPECT_EQ(server->connections(), 1U);
}

TEST_F(ClientTest, CarriesManyCallsAtOnce) {
  TestServer server;
  Client& c = client();
  std::vector<std::future<Result<HttpAnswer>>> answers;
  std::vector<std::string> bodies(200);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    bodies[i] = std::to_string(i);
    answers.push_back(begin([&, i]() -> Task<Result<HttpAnswer>> {
      HttpCall post;
      post.url = local_url(server.port(), "/held");
      post.body = bodies[i];
      post.connect_timeout = post.timeout = Millis(30'000);
      co_return co_await c.http(post);
    }));
  }
  server.wait_for_held(bodies.size());
  server.release_held();
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto answer = answers[i].get();
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_TRUE(answer->body.ends_with(" " + bodies[i]));
  }
}

TEST_F(ClientTest, MayBeDestroyedWithCallsInFlight) {
  TestServer server;
  Client& c = client();
  HttpCall post;
  post.url = local_url(server.port(), "/held");
  std::vector<std::future<Result<HttpAnswer>>> answers;
  for (int i = 0; i < 10; ++i) {
    answers.push_back(begin([&]() -> Task<Result<HttpAnswer>> { return c.http(post); }));
  }
  server.wait_for_held(10);
  destroy_client();
  for (auto& answer : answers) EXPECT_EQ(answer.get().error().kind, Failure::unavailable);
}

TEST(Client, MayBeDestroyedAfterItsLoopWithCallsInFlight) {
  TestServer server;
  EventLoops loops(1, "client");
  auto client = std::make_unique<Client>(loops[0]);
  HttpCall post;
  post.url = local_url(server.port(), "/held");
  auto answer = boost::asio::co_spawn(
      loops[0].get_executor(), [&]() -> Task<Result<HttpAnswer>> { return client->http(post); },
      boost::asio::use_future);
  server.wait_for_held(1);
  loops.stop();
  client.reset();
  EXPECT_NE(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

}  // namespace
}  // namespace otpd::net
