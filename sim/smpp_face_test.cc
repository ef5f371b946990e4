// The SMPP face against bytes that no client would send.
#include "base/encoding.h"
#include "smpp_pdu.h"
#include "test_sim.h"

namespace otpd::sim {
namespace {

class SmppFaceTest : public SimTest {
 protected:
  net::TestPeer connect() { return net::TestPeer(smpp_->port()); }
  // What the face says until it ends the connection, which it must.
  std::string last_words(std::string_view bytes) {
    net::TestPeer peer = connect();
    peer.send(bytes);
    EXPECT_TRUE(peer.read_to_end()) << "it must end the connection";
    return peer.received();
  }
  static std::string bind_request() {
    return smpp::encode(
        {smpp::bind_transceiver, 0, 1, std::string("simulated\0password\0\0\x34\0\0\0", 24)});
  }
};

TEST_F(SmppFaceTest, EndsConnectionsWhoseLengthsAreImpossible) {
  for (const std::string_view length :
       {"00000000", "0000000f", "00004001", "ffffffff", "48545450"}) {
    const std::string answer = last_words(*hex_decode(length) + "/1.1");
    ASSERT_EQ(answer.size(), smpp::k_header_bytes) << length;
    EXPECT_EQ(smpp::decode(answer).command, smpp::generic_nack);
    EXPECT_EQ(smpp::decode(answer).status, smpp::invalid_length);
  }
}

TEST_F(SmppFaceTest, AnswersEveryRequestOfOneRead) {
  net::TestPeer peer = connect();
  std::string all = bind_request();
  for (std::uint32_t i = 2; i < 52; ++i) all += smpp::encode({smpp::enquire_link, 0, i, {}});
  all += smpp::encode({0x77, 0, 52, "?"});
  all += smpp::encode({smpp::submit_sm, 0, 53, "cut short"});
  all += std::string(4, '\0');
  peer.send(all);
  EXPECT_TRUE(peer.read_to_end());
  std::string_view rest = peer.received();
  std::map<std::uint32_t, std::uint32_t> statuses;
  while (const auto size = smpp::length_of(rest)) {
    const smpp::Pdu pdu = smpp::decode(rest.substr(0, *size));
    statuses[pdu.sequence] = pdu.status;
    rest.remove_prefix(*size);
  }
  EXPECT_EQ(statuses[1], smpp::ok);
  for (std::uint32_t i = 2; i < 52; ++i) EXPECT_EQ(statuses.count(i), 1U) << i;
  EXPECT_EQ(statuses[52], smpp::invalid_command);
}

TEST_F(SmppFaceTest, LivesThroughBytesOfEveryKind) {
  SeededRandom random(11);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = bind_request();
    std::string body = random.bytes(random.u64() % 80);
    const auto command = static_cast<std::uint32_t>(random.u64() % 2 == 0 ? 4 : random.u64() % 32);
    bytes += smpp::encode({command, 0, 2, body});
    bytes += std::string(4, '\0');
    EXPECT_FALSE(last_words(bytes).empty());
  }
  EXPECT_EQ(get("/stats.json").status, 200);
}

}  // namespace
}  // namespace otpd::sim
