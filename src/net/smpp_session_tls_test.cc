#include <gtest/gtest.h>

#include "net/test_certificate.h"
#include "net/test_smpp_session.h"
#include "net/tls.h"

namespace otpd::net {
namespace {

struct SmppTlsTest : SmppSessionTest {
  SmppSessionConfig tls_config(const TestSmsc& smsc, std::string host) const {
    auto config = config_for(smsc);
    config.target = {.host = std::move(host),
                     .port = smsc.port(),
                     .tls = true,
                     .ca_file = certificate.certificate_file()};
    return config;
  }
  // Whether a session with that configuration says nothing before it gives its connection up.
  bool says_nothing(SmppSessionConfig config, std::atomic<int>& ended) {
    connect(std::move(config));
    const bool gave_up = run_until([&] { return ended >= 2; });  // and tried again
    return gave_up && !session->is_bound() && !spoke;
  }
  TestSmsc::Script listening(std::atomic<int>& ended) {
    return [&](TestSmscPeer& peer) {
      if (peer.read()) spoke = true;
      ++ended;
    };
  }

  TestCertificate certificate;
  boost::asio::ssl::context tls =
      make_tls_context(certificate.certificate_file(), certificate.key_file()).value();
  std::atomic<bool> spoke{false};
};

TEST_F(SmppTlsTest, BindsAndSubmits) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    std::atomic<bool> unbound{false};
    TestSmsc smsc({[&](TestSmscPeer& peer) {
                    peer.welcome();
                    while (const auto pdu = peer.read()) {
                      if (pdu->header.command == SmppCommand::submit_sm) peer.accept(*pdu, "1");
                      if (pdu->header.command == SmppCommand::unbind) unbound = true;
                    }
                  }},
                  tls.native_handle());
    answers.clear();
    connect(tls_config(smsc, host));
    submit("1");
    ASSERT_TRUE(run_until_answers(1)) << host;
    EXPECT_EQ(answers[0].value().message_id, "1");
    session.reset();
    EXPECT_TRUE(run_until([&] { return unbound.load(); })) << host;
  }
}

TEST_F(SmppTlsTest, SaysNothingToACertificateThatNobodyVouchesFor) {
  std::atomic<int> ended{0};
  TestSmsc smsc({listening(ended)}, tls.native_handle());
  auto config = tls_config(smsc, "127.0.0.1");
  config.target.ca_file.clear();
  EXPECT_TRUE(says_nothing(std::move(config), ended));
}

TEST_F(SmppTlsTest, SaysNothingToAnothersCertificate) {
  std::atomic<int> ended{0};
  TestSmsc smsc({listening(ended)}, tls.native_handle(), INADDR_LOOPBACK + 1);
  EXPECT_TRUE(says_nothing(tls_config(smsc, "127.0.0.2"), ended));
}

TEST_F(SmppTlsTest, SaysNothingWithoutTls) {
  std::atomic<int> ended{0};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    ++ended;
  }});
  EXPECT_TRUE(says_nothing(tls_config(smsc, "127.0.0.1"), ended));
}

TEST_F(SmppTlsTest, GivesUpOnAHandshakeThatHangs) {
  std::atomic<int> ended{0};
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.wait_for_end();
    ++ended;
  }});
  auto config = tls_config(smsc, "127.0.0.1");
  config.connect_timeout = Millis(30);
  EXPECT_TRUE(says_nothing(std::move(config), ended));
}

}  // namespace
}  // namespace otpd::net
