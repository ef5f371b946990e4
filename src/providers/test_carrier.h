// Carrier and ProviderTest: a provider against a real HTTP server, for the tests of all providers.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "delivery/provider.h"
#include "net/client.h"
#include "net/http_server.h"

namespace otpd::providers {

using Kind = delivery::Outcome::Kind;

inline delivery::Message typical_message(std::string channel, std::string to) {
  return {.job_id = "0123abcd",
          .channel = std::move(channel),
          .to = Secret(std::move(to)),
          .subject = "Ihr Code für Bänk",
          .text = Secret(std::string("481623 è il codice & più.\n@login.example.com #481623")),
          .valid_for = Millis(299'999)};
}

// The carrier's side of HTTP: keeps the last request and gives a fixed answer, or none.
struct Carrier {
  Carrier() {
    const auto handler = [this](net::HttpRequest request) -> Task<net::HttpResponse> {
      {
        const std::lock_guard lock(mutex);
        last = std::move(request);
      }
      if (silent) {
        co_await await_callback<int>(Seconds(60), [this](Callback<Result<int>> done) {
          const std::lock_guard lock(mutex);
          held.push_back(std::move(done));
        });
      }
      co_return answer;
    };
    const auto error_page = [](int status, std::string_view, const net::RequestGist&) {
      net::HttpResponse response;
      response.status = status;
      return response;
    };
    server = net::HttpServer::listen(loops, {}, handler, error_page).value();
  }
  ~Carrier() {
    {
      const std::lock_guard lock(mutex);
      for (auto& done : held) done(0);
    }
    server.reset();
    loops.stop();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  net::HttpResponse answer{.status = 201, .body = R"({"sid":"SM1"})", .headers = {}};
  bool silent = false;
  std::mutex mutex;
  net::HttpRequest last;
  std::vector<Callback<Result<int>>> held;
  net::EventLoops loops{1, "carrier"};
  std::unique_ptr<net::HttpServer> server;
};

struct ProviderTest : ::testing::Test {
  delivery::Outcome send(delivery::Provider& provider, const delivery::Message& message,
                         Millis timeout = Seconds(5)) {
    delivery::Outcome outcome;
    const auto body = [&]() -> Task<void> { outcome = co_await provider.send(message, timeout); };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    loop.restart();
    while (loop.run_one() > 0 && outcome.reason.empty() && outcome.message_id.empty()) {
    }
    return outcome;
  }

  boost::asio::io_context loop{1};
  net::Client client{loop};
  VirtualClock clock{TimePoint(Millis(1'700'000'000'123))};
  Carrier carrier;
};

}  // namespace otpd::providers
