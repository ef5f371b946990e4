#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <memory>

#include "net/test_certificate.h"
#include "net/test_peer.h"
#include "net/test_server.h"

namespace otpd::net {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using TlsHandle = std::unique_ptr<SSL, decltype(&SSL_free)>;

HttpServerConfig tls_config(const TestCertificate& certificate) {
  HttpServerConfig config;
  config.tls_certificate_file = certificate.certificate_file();
  config.tls_key_file = certificate.key_file();
  return config;
}

// A TLS client over a TestPeer's socket, at most of `version`.
class TlsPeer {
 public:
  TlsPeer(TestPeer& peer, int version)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_security_level(context_.get(), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), peer.native_handle());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_.get()); }
  void send(std::string_view text) {
    SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
  }
  // Reads until `end` was seen or the server is done.
  std::string read_until(std::string_view end) {
    std::string text;
    char bytes[4096];
    while (!text.contains(end)) {
      const int n = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (n <= 0) break;
      text.append(bytes, static_cast<std::size_t>(n));
    }
    return text;
  }
  // Whether the server said goodbye, rather than just cutting the connection.
  bool said_goodbye() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  Context context_;
  TlsHandle ssl_;
  bool connected_ = false;
};

TEST(Tls, ServesOverTls12And13) {
  const TestCertificate certificate;
  TestServer server(tls_config(certificate));
  for (const auto& [version, name] :
       {std::pair(TLS1_2_VERSION, "TLSv1.2"), std::pair(TLS1_3_VERSION, "TLSv1.3")}) {
    TestPeer peer(server.port());
    TlsPeer tls(peer, version);
    ASSERT_TRUE(tls.connected());
    EXPECT_EQ(tls.version(), name);
    for (int i = 0; i < 3; ++i) {
      tls.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
      EXPECT_TRUE(tls.read_until(" hi").contains("200 OK"));
    }
  }
}

TEST(Tls, RefusesOldVersions) {
  const TestCertificate certificate;
  TestServer server(tls_config(certificate));
  TestPeer peer(server.port());
  EXPECT_FALSE(TlsPeer(peer, TLS1_1_VERSION).connected());
}

TEST(Tls, AnswersBrokenAndLateRequestsAndSaysGoodbye) {
  const TestCertificate certificate;
  HttpServerConfig config = tls_config(certificate);
  config.header_timeout = Millis(300);
  TestServer server(config);
  for (const auto& [bytes, status] :
       {std::pair("nonsense\r\n\r\n", "400"), std::pair("GET / HT", "408")}) {
    TestPeer peer(server.port());
    TlsPeer tls(peer, TLS1_3_VERSION);
    tls.send(bytes);
    EXPECT_TRUE(tls.read_until("never").starts_with("HTTP/1.1 " + std::string(status)));
    EXPECT_TRUE(tls.said_goodbye());
  }
}

TEST(Tls, EndsAHandshakeThatDoesNotEnd) {
  const TestCertificate certificate;
  HttpServerConfig config = tls_config(certificate);
  config.header_timeout = Millis(80);
  TestServer server(config);
  TestPeer silent(server.port());
  EXPECT_TRUE(silent.closed());
  TestPeer plain(server.port());
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(plain.read_to_end());
  EXPECT_FALSE(plain.received().contains("HTTP/1.1"));
}

TEST(Tls, SaysWhichFileIsUnusable) {
  const TestCertificate certificate;
  const TestCertificate other;
  const auto missing = make_tls_context("/does/not/exist.pem", certificate.key_file());
  ASSERT_FALSE(missing.has_value());
  EXPECT_TRUE(missing.error().message.contains("/does/not/exist.pem"));
  const auto mixed = make_tls_context(certificate.certificate_file(), other.key_file());
  ASSERT_FALSE(mixed.has_value());
  EXPECT_TRUE(mixed.error().message.contains(other.key_file()));
}

}  // namespace
}  // namespace otpd::net
