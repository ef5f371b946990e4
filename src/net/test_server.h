// TestServer: an HttpServer on a free port with a handler for every test.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "net/test_malformed.h"

namespace otpd::net {

// /held waits until release_held(), /slow goes once round the loop, /throw throws, /empty is 204;
// everything else is an echo. The limits are those of test_malformed.h.
class TestServer {
 public:
  explicit TestServer(HttpServerConfig config = {}, std::size_t loops = 1) : loops_(loops, "test") {
    config.max_header_bytes = k_malformed_header_bytes;
    config.max_body_bytes = k_malformed_body_bytes;
    auto listening = HttpServer::listen(
        loops_, std::move(config),
        [this](HttpRequest request) { return handle(std::move(request)); }, error_page);
    if (!listening) throw std::runtime_error(listening.error().message);
    server_ = std::move(*listening);
  }
  ~TestServer() {
    release_held();
    server_.reset();
    loops_.stop();
  }

  HttpServer* operator->() { return server_.get(); }
  std::uint16_t port() const { return server_->port(); }

  // Blocks until so many requests wait in /held.
  void wait_for_held(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return held_.size() == count; });
  }
  // Lets those that wait go on.
  void release_held() {
    const std::lock_guard lock(mutex_);
    for (auto& go_on : held_) go_on(true);
    held_.clear();
  }
  // Blocks until so many handlers of /held have ended.
  void wait_for_finished(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_ == count; });
  }
  void wait_for_connections(std::size_t count) {
    while (server_->connections() != count) std::this_thread::yield();
  }

  static HttpResponse error_page(int status, std::string_view reason, const RequestGist& request) {
    HttpResponse response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = "error page " + std::to_string(status) + ": " + std::string(reason);
    response.headers.emplace_back("X-Error", "yes");
    response.headers.emplace_back("X-Asked", request.path + " of " + request.origin);
    return response;
  }

 private:
  Task<HttpResponse> handle(HttpRequest request) {
    HttpResponse response;
    if (request.path == "/throw") throw std::runtime_error("thrown by the test");
    if (request.path == "/throw-other") throw 42;
    if (request.path == "/held") co_await hold();
    if (request.path == "/slow") co_await boost::asio::post(co_await this_executor(), use_task);
    if (request.path == "/empty") response.status = 204;
    if (request.path == "/bad-headers") {
      response.headers = {
          {"X-A", "b\r\nInjected: yes"}, {"X\r\nInjected", "c"}, {"X-Good", "kept"}};
    }
    response.content_type = "text/plain";
    response.body = request.method + " " + request.path + " " + request.query + " " + request.peer +
                    " " + request.body;
    co_return response;
  }

  Task<void> hold() {
    (void)co_await await_callback<bool>(Millis(20'000), [this](Callback<Result<bool>> go_on) {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(go_on));
      changed_.notify_all();
    });
    const std::lock_guard lock(mutex_);
    ++finished_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Callback<Result<bool>>> held_;
  std::size_t finished_ = 0;
  EventLoops loops_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace otpd::net
