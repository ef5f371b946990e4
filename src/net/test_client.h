// ClientTest: a fixture with a Client on a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <memory>

#include "base/task.h"
//
#include <boost/asio/co_spawn.hpp>

#include "net/client.h"
#include "net/event_loops.h"

namespace otpd::net {

// The client is made at its first use, from `config_`.
class ClientTest : public testing::Test {
 protected:
  template <class Start>
  auto begin(Start start) {
    return boost::asio::co_spawn(loops_[0].get_executor(), std::move(start),
                                 boost::asio::use_future);
  }
  template <class Start>
  auto on_loop(Start start) {
    return begin(std::move(start)).get();
  }

  ~ClientTest() override {
    destroy_client();
    loops_.stop();
  }
  void destroy_client() {
    on_loop([this]() -> Task<bool> {
      client_.reset();
      co_return true;
    });
  }

  Client& client() {
    if (!client_) {
      on_loop([this]() -> Task<bool> {
        client_ = std::make_unique<Client>(loops_[0], config_);
        co_return true;
      });
    }
    return *client_;
  }

  Result<HttpAnswer> call(const HttpCall& call) {
    Client& c = client();
    return on_loop([&]() -> Task<Result<HttpAnswer>> { return c.http(call); });
  }
  Result<MailAnswer> mail(const MailCall& call) {
    Client& c = client();
    return on_loop([&]() -> Task<Result<MailAnswer>> { return c.mail(call); });
  }

  EventLoops loops_{1, "client"};
  ClientConfig config_;
  std::unique_ptr<Client> client_;
};

}  // namespace otpd::net
