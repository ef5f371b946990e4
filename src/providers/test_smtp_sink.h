// A mail server for tests: one thread, one connection after the other, every command recorded.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace otpd::providers {

class SmtpSink {
 public:
  // `replies` answers commands by their first word ("RCPT", "AUTH", and "." for the end of the
  // message) instead of the usual yes.
  explicit SmtpSink(std::map<std::string, std::string> replies) : replies_(std::move(replies)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, raw, &size) != 0) {
      throw std::runtime_error("no listening socket");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SmtpSink() {
    {
      const std::lock_guard lock(mutex_);
      ::shutdown(listener_, SHUT_RDWR);
      if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }

  std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> commands() const { return copy(commands_); }
  std::vector<std::string> messages() const { return copy(messages_); }

 private:
  std::vector<std::string> copy(const std::vector<std::string>& lines) const {
    const std::lock_guard lock(mutex_);
    return lines;
  }

  void serve() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      {
        const std::lock_guard lock(mutex_);
        connection_ = fd;
      }
      converse(fd);
      const std::lock_guard lock(mutex_);
      connection_ = -1;
      ::close(fd);
    }
  }

  void converse(int fd) {
    std::string buffered, line;
    say(fd, "220 sink ESMTP");
    while (read_line(fd, buffered, line)) {
      const std::string verb = line.substr(0, line.find(' '));
      {
        const std::lock_guard lock(mutex_);
        commands_.push_back(line);
      }
      if (verb == "DATA") {
        say(fd, "354 go on");
        std::string message;
        while (read_line(fd, buffered, line) && line != ".") {
          message += line.substr(line.starts_with('.') ? 1 : 0) + "\r\n";
        }
        const std::lock_guard lock(mutex_);
        messages_.push_back(message);
        say(fd, reply_to(".", "250 2.0.0 Ok: queued as 4XyZ12"));
      } else if (verb == "EHLO") {
        say(fd, "250-sink\r\n250 AUTH PLAIN");
      } else if (verb == "QUIT") {
        say(fd, "221 bye");
        return;
      } else if (verb == "AUTH") {
        say(fd, "334 ");
        read_line(fd, buffered, line);
        say(fd, reply_to(verb, "235 welcome"));
      } else {
        say(fd, reply_to(verb, "250 ok"));
      }
    }
  }

  std::string reply_to(const std::string& verb, const std::string& usual) const {
    const auto found = replies_.find(verb);
    return found == replies_.end() ? usual : found->second;
  }
  static void say(int fd, const std::string& text) {
    const std::string line = text + "\r\n";
    if (::send(fd, line.data(), line.size(), MSG_NOSIGNAL) < 0) return;
  }
  static bool read_line(int fd, std::string& buffered, std::string& line) {
    std::size_t end = 0;
    while ((end = buffered.find("\r\n")) == std::string::npos) {
      char chunk[4096];
      const ssize_t n = ::recv(fd, chunk, sizeof chunk, 0);
      if (n <= 0) return false;
      buffered.append(chunk, static_cast<std::size_t>(n));
    }
    line = buffered.substr(0, end);
    buffered.erase(0, end + 2);
    return true;
  }

  const std::map<std::string, std::string> replies_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  int connection_ = -1;
  std::vector<std::string> commands_;
  std::vector<std::string> messages_;
  std::thread thread_;
};

}  // namespace otpd::providers
