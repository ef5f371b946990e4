// TestPeer: a blocking TCP client for tests that must choose every byte themselves.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace otpd::net {

struct RawAnswer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::string head;
  std::string body;
};

// Every read gives up after `k_patience`, so that a broken server fails a test and not the run.
class TestPeer {
 public:
  static constexpr int k_patience_ms = 10'000;

  explicit TestPeer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  TestPeer(TestPeer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        rest_(std::move(other.rest_)) {}
  TestPeer& operator=(TestPeer&&) = delete;
  ~TestPeer() { close(); }

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  // Closes so that the server sees a reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  int native_handle() const { return fd_; }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // The next answer of the connection; `head_only` for the answer to a HEAD.
  RawAnswer read_answer(bool head_only = false) {
    RawAnswer answer;
    std::size_t end = 0;
    while ((end = rest_.find("\r\n\r\n")) == rest_.npos) {
      if (!read_more()) return answer;
    }
    answer.head = rest_.substr(0, end + 4);
    rest_.erase(0, end + 4);
    const int status = std::stoi(answer.head.substr(9, 3));
    const std::size_t at = answer.head.find("Content-Length: ");
    const bool has_body = !head_only && status >= 200 && at != answer.head.npos;
    const std::size_t size = has_body ? std::stoul(answer.head.substr(at + 16)) : 0;
    while (rest_.size() < size) {
      if (!read_more()) return answer;
    }
    answer.body = rest_.substr(0, size);
    rest_.erase(0, size);
    answer.status = status;
    return answer;
  }
  RawAnswer ask(std::string_view request) {
    send(request);
    return read_answer();
  }

  // True if the server closed without another byte; false if it sent some or nothing happened.
  bool closed() { return rest_.empty() && !read_more() && !timed_out_; }
  // Reads all that comes until the server closes; false if it does not.
  bool read_to_end() {
    while (read_more()) {
    }
    return !timed_out_;
  }
  const std::string& received() const { return rest_; }

 private:
  bool read_more() {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, k_patience_ms) <= 0) {
      timed_out_ = true;
      return false;
    }
    char bytes[4096];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    rest_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string rest_;
};

}  // namespace otpd::net
