// SimTest: a fixture with the whole simulator on real sockets.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "base/task.h"
//
#include <boost/asio/co_spawn.hpp>

#include "net/client.h"
#include "net/event_loops.h"
#include "net/test_peer.h"
#include "routes.h"
#include "smpp_face.h"
#include "smtp_face.h"

namespace otpd::sim {

constexpr std::string_view k_sid = "AC00000000000000000000000000000000";

class SimTest : public testing::Test {
 protected:
  template <class Start>
  auto on_loop(Start start) {
    return boost::asio::co_spawn(loops_[0].get_executor(), std::move(start),
                                 boost::asio::use_future)
        .get();
  }

  SimTest() {
    auto listening = net::HttpServer::listen(
        loops_, config(),
        [this](net::HttpRequest request) { return routes_.handle(std::move(request)); },
        Routes::error_page);
    server_ = std::move(listening.value());
    mail_ = std::move(
        SmtpFace::listen(loops_, "127.0.0.1", 0, inbox_, faults_, clock_, Millis(300)).value());
    smpp_ = std::move(
        SmppFace::listen(loops_, "127.0.0.1", 0, SmppAccount{}, inbox_, faults_, receipts_, clock_)
            .value());
    on_loop([this]() -> Task<bool> {
      client_ = std::make_unique<net::Client>(loops_[0]);
      co_return true;
    });
  }
  ~SimTest() override {
    on_loop([this]() -> Task<bool> {
      client_.reset();
      co_return true;
    });
    server_.reset();
    mail_.reset();
    smpp_.reset();
    loops_.stop();
  }

  static net::HttpServerConfig config() {
    net::HttpServerConfig config;
    config.max_body_bytes = 64 * 1024;
    return config;
  }
  Result<net::HttpAnswer> call(const net::HttpCall& call) {
    return on_loop([&]() -> Task<Result<net::HttpAnswer>> { return client_->http(call); });
  }
  net::HttpAnswer get(std::string_view path, std::string method = "GET", std::string body = {}) {
    net::HttpCall request;
    request.method = std::move(method);
    request.url = url() + std::string(path);
    request.body = body;
    return call(request).value();
  }
  net::HttpCall sms_call(std::string_view path = "/Messages.json") const {
    net::HttpCall request;
    request.url = url() + "/2010-04-01/Accounts/" + std::string(k_sid) + std::string(path);
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.user = k_sid;
    request.password = "simulated-token";
    return request;
  }
  net::HttpAnswer send(const std::string& form) {
    net::HttpCall request = sms_call();
    request.body = form;
    return call(request).value();
  }
  Result<net::MailAnswer> mail(std::string_view to, std::string_view message) {
    net::MailCall request;
    request.url = "smtp://127.0.0.1:" + std::to_string(mail_->port());
    request.from = "otp@acme.example";
    request.to = to;
    request.message = message;
    return on_loop([&]() -> Task<Result<net::MailAnswer>> { return client_->mail(request); });
  }
  nlohmann::json inbox(std::string_view query = "") {
    return nlohmann::json::parse(get("/inbox.json" + std::string(query)).body);
  }
  void set_faults(std::string body) {
    ASSERT_EQ(get("/faults", "POST", std::move(body)).status, 200);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  VirtualClock clock_{TimePoint(Millis(1'700'000'000'123))};
  Inbox inbox_{clock_.now()};
  FaultBoard faults_{1};
  net::EventLoops loops_{1, "sim"};
  Receipts receipts_{loops_[0], inbox_};
  Routes routes_{Accounts{}, inbox_, faults_, receipts_, clock_};
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<SmtpFace> mail_;
  std::unique_ptr<SmppFace> smpp_;
  std::unique_ptr<net::Client> client_;
};

}  // namespace otpd::sim
