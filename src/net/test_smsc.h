// TestSmsc: an SMSC for tests, with a thread of its own, that does what each test's script says.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/smpp_pdu.h"

namespace otpd::net {

// One connection, as the script sees it. Reads give up after 10 s, so that no test hangs.
class TestSmscPeer {
 public:
  // `tls`: a handshake comes first; the script runs even if it fails.
  explicit TestSmscPeer(int fd, SSL_CTX* tls = nullptr)
      : fd_(fd), ssl_(tls == nullptr ? nullptr : SSL_new(tls), SSL_free) {
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (ssl_) {
      SSL_set_fd(ssl_.get(), fd);
      SSL_accept(ssl_.get());
    }
  }

  // The next PDU; nothing when the client is gone.
  std::optional<SmppPdu> read() {
    for (;;) {
      auto pdu = reader_.next();
      if (!pdu) return std::nullopt;
      if (*pdu) return std::move(*pdu);
      char bytes[4096];
      const auto count =
          ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
      if (count <= 0) return std::nullopt;
      reader_.feed({bytes, static_cast<std::size_t>(count)});
    }
  }
  // The next PDU of that command; others are passed over.
  std::optional<SmppPdu> read(SmppCommand command) {
    auto pdu = read();
    while (pdu && pdu->header.command != command) pdu = read();
    return pdu;
  }
  void write(std::string_view bytes) const {
    if (ssl_) {
      SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    } else if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
      return;
  }
  void say(SmppCommand command, std::uint32_t status, std::uint32_t sequence,
           std::string_view body = {}) const {
    std::string bytes;
    append_smpp_pdu(bytes, {command, status, sequence}, body);
    write(bytes);
  }
  void answer(const SmppPdu& request, std::uint32_t status, std::string_view body = {}) const {
    say(response_to(request.header.command), status, request.header.sequence, body);
  }
  void accept(const SmppPdu& submit, std::string_view message_id) const {
    answer(submit, smpp_status::k_ok, write_smpp_name(message_id));
  }
  // Answers the bind; what it said.
  std::optional<SmppBind> welcome(std::uint32_t status = smpp_status::k_ok) {
    const auto pdu = read(SmppCommand::bind_transceiver);
    if (!pdu) return std::nullopt;
    const bool yes = status == smpp_status::k_ok;
    answer(*pdu, status, yes ? write_smpp_name("smsc") : std::string());
    auto bind = read_smpp_bind(pdu->body.reveal());
    return bind ? std::optional(std::move(*bind)) : std::nullopt;
  }
  // A receipt in its usual form.
  void receipt(std::string_view text, std::uint32_t sequence,
               std::vector<SmppTlv> tlvs = {}) const {
    SmppMessage message;
    message.esm_class = 0x04;
    message.short_message = Secret(std::string(text));
    message.tlvs = std::move(tlvs);
    say(SmppCommand::deliver_sm, 0, sequence, write_smpp_message(message)->reveal());
  }
  // Until the client closes.
  void wait_for_end() {
    while (read()) {
    }
  }
  std::size_t pdus_before_end() {
    std::size_t count = 0;
    while (read()) ++count;
    return count;
  }

 private:
  int fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  SmppReader reader_;
};

class TestSmsc {
 public:
  using Script = std::function<void(TestSmscPeer&)>;

  // The first connection runs the first script, and so on; the last runs for all that follow. A
  // connection is closed at the end of its script. `tls`, if any, must outlive it.
  explicit TestSmsc(std::vector<Script> scripts, SSL_CTX* tls = nullptr,
                    std::uint32_t address_bytes = INADDR_LOOPBACK)
      : scripts_(std::move(scripts)), tls_(tls) {
    if (tls != nullptr) std::signal(SIGPIPE, SIG_IGN);  // OpenSSL knows no MSG_NOSIGNAL
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(address_bytes);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, raw, &size) != 0) {
      throw std::runtime_error("no listening socket");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~TestSmsc() { stop(); }

  std::uint16_t port() const { return port_; }
  // Ends the connection and waits for its script.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      ::shutdown(listener_, SHUT_RDWR);
      if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
    }
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
  }

 private:
  void serve() {
    for (std::size_t next = 0;; next = std::min(next + 1, scripts_.size() - 1)) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      {
        const std::lock_guard lock(mutex_);
        connection_ = fd;
      }
      TestSmscPeer peer(fd, tls_);
      try {
        scripts_[next](peer);
      } catch (const std::bad_optional_access&) {
        ADD_FAILURE() << "the client left before the end of the script";
      }
      const std::lock_guard lock(mutex_);
      connection_ = -1;
      ::close(fd);
    }
  }

  const std::vector<Script> scripts_;
  SSL_CTX* const tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  int connection_ = -1;
  std::thread thread_;
};

}  // namespace otpd::net
