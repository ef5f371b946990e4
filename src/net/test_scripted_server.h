// ScriptedServer: a TCP server on a free port that does with each connection what a test says.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace otpd::net {

// One accepted connection, blocking, with patience of 10 s.
class ScriptedConnection {
 public:
  explicit ScriptedConnection(int fd) : fd_(fd) {}
  ~ScriptedConnection() { ::close(fd_); }
  ScriptedConnection(const ScriptedConnection&) = delete;
  ScriptedConnection& operator=(const ScriptedConnection&) = delete;

  // What comes up to and including `end`; less if the peer closes.
  std::string read_until(std::string_view end) {
    std::size_t at = 0;
    while ((at = rest_.find(end)) == rest_.npos) {
      pollfd wait{fd_, POLLIN, 0};
      char bytes[4096];
      const ssize_t n = ::poll(&wait, 1, 10'000) > 0 ? ::recv(fd_, bytes, sizeof bytes, 0) : 0;
      if (n <= 0) return std::exchange(rest_, {});
      rest_.append(bytes, static_cast<std::size_t>(n));
    }
    std::string text = rest_.substr(0, at + end.size());
    rest_.erase(0, at + end.size());
    return text;
  }
  void send(std::string_view bytes) { (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // Ends the connection by a reset: that is what "connecting to nowhere" does.
  void reset() {
    sockaddr nowhere{};
    nowhere.sa_family = AF_UNSPEC;
    EXPECT_EQ(::connect(fd_, &nowhere, sizeof nowhere), 0);
  }
  // Ends what waits in it; safe from another thread.
  void interrupt() { ::shutdown(fd_, SHUT_RDWR); }
  void wait_until_closed() { read_until("\x01never"); }

 private:
  int fd_;
  std::string rest_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedConnection&)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size), 0);
    ::listen(fd_, 512);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(fd_, SHUT_RDWR);  // ends accept
    thread_.join();
    ::close(fd_);
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_.load(); }

 private:
  void serve() {
    std::list<ScriptedConnection> open;
    std::vector<std::jthread> threads;
    for (int fd = ::accept(fd_, nullptr, nullptr); fd >= 0; fd = ::accept(fd_, nullptr, nullptr)) {
      ++connections_;
      threads.emplace_back([this, &connection = open.emplace_back(fd)] {
        script_(connection);
        connection.interrupt();
      });
    }
    for (ScriptedConnection& connection : open) connection.interrupt();
  }

  Script script_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace otpd::net
