#include "providers/smpp.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/gsm0338.h"
#include "net/test_smsc.h"

namespace otpd::providers {
namespace {

using Kind = delivery::Outcome::Kind;
using State = delivery::Receipt::State;
using net::SmppCommand;
using net::TestSmsc;
using net::TestSmscPeer;

delivery::Message sms(std::string text) {
  return {.job_id = "0123abcd",
          .channel = "sms",
          .to = Secret(std::string("+14155552671")),
          .subject = {},
          .text = Secret(std::move(text)),
          .valid_for = Millis(299'999)};
}

// What arrived at the SMSC, by value.
struct Arrived {
  std::string source, destination, octets, validity;
  int source_ton, source_npi, ton, npi, esm_class, data_coding, registered;
};

Arrived arrived(const net::SmppPdu& pdu) {
  const auto m = net::read_smpp_message(pdu.body.reveal()).value();
  return {std::string(m.source.address.reveal()),
          std::string(m.destination.address.reveal()),
          std::string(m.short_message.reveal()),
          m.validity_period,
          m.source.ton,
          m.source.npi,
          m.destination.ton,
          m.destination.npi,
          m.esm_class,
          m.data_coding,
          m.registered_delivery};
}

struct SmppProviderTest : ::testing::Test {
  ~SmppProviderTest() override { provider.reset(); }

  static SmppConfig config_for(std::uint16_t port) {
    SmppConfig config;
    config.session.target = {.host = "127.0.0.1", .port = port};
    config.session.system_id = "otpd";
    config.session.password = Secret(std::string("secret"));
    config.session.backoff_base = config.session.backoff_max = Millis(10);
    config.from = "ACME";
    return config;
  }
  void connect(const TestSmsc& smsc) { connect(config_for(smsc.port())); }
  void connect(SmppConfig config) {
    provider = make_smpp(std::move(config), loop, random, [this](delivery::Receipt receipt) {
                 receipts.push_back(std::move(receipt));
               }).value();
  }
  delivery::Outcome send(const delivery::Message& message, Millis timeout = Seconds(5)) {
    std::optional<delivery::Outcome> outcome;
    const auto body = [&]() -> Task<void> { outcome = co_await provider->send(message, timeout); };
    boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(delivery::Outcome{});
  }
  template <class Condition>
  bool run_until(Condition holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds() && std::chrono::steady_clock::now() < limit) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(50));
    }
    return holds();
  }

  boost::asio::io_context loop{1};
  SeededRandom random{1};
  std::vector<delivery::Receipt> receipts;
  std::unique_ptr<delivery::Provider> provider;
};

TEST_F(SmppProviderTest, SendsWhatTheSmscWants) {
  std::vector<Arrived> messages;
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    while (const auto pdu = peer.read(SmppCommand::submit_sm)) {
      messages.push_back(arrived(*pdu));
      peer.accept(*pdu, "0000004711");
    }
  }});
  connect(smsc);
  const std::string text = "481623 è il codice [ok].\n@login.example.com #481623";
  const auto outcome = send(sms(text));
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "4711");
  EXPECT_TRUE(provider->receipts_by_message_id());
  EXPECT_EQ(send(sms("код 481623")).kind, Kind::accepted);
  smsc.stop();
  ASSERT_EQ(messages.size(), 2U);
  const Arrived& first = messages[0];
  EXPECT_EQ(first.source, "ACME");
  EXPECT_EQ(first.source_ton, 5);
  EXPECT_EQ(first.source_npi, 0);
  EXPECT_EQ(first.destination, "14155552671");
  EXPECT_EQ(first.ton, 1);
  EXPECT_EQ(first.npi, 1);
  EXPECT_EQ(first.esm_class, 0);
  EXPECT_EQ(first.data_coding, 0);
  EXPECT_EQ(first.registered, 1);
  EXPECT_EQ(first.validity, "000000000459000R");
  EXPECT_EQ(net::decode_gsm7(first.octets), text);
  EXPECT_EQ(messages[1].data_coding, 8);
  EXPECT_EQ(net::decode_ucs2(messages[1].octets), "код 481623");
}

TEST_F(SmppProviderTest, SendsLongTextsInPartsAndNamesThemByTheFirst) {
  std::vector<Arrived> messages;
  TestSmsc smsc({[&](TestSmscPeer& peer) {
    peer.welcome();
    while (const auto pdu = peer.read(SmppCommand::submit_sm)) {
      messages.push_back(arrived(*pdu));
      const std::string id = "part-" + std::to_string(messages.size());
      // Each receipt comes before the answer.
      peer.receipt("id:" + id + " stat:DELIVRD err:000", 100);
      peer.accept(*pdu, id);
    }
  }});
  connect(smsc);
  const auto outcome = send(sms(std::string(161, 'a')));
  EXPECT_EQ(outcome.kind, Kind::accepted);
  EXPECT_EQ(outcome.message_id, "part-1");
  ASSERT_TRUE(run_until([&] { return !receipts.empty(); }));
  ASSERT_EQ(receipts.size(), 1U);
  EXPECT_EQ(receipts[0].message_id, "part-1");
  EXPECT_EQ(receipts[0].state, State::delivered);
  EXPECT_EQ(send(sms(std::string(161, 'b'))).kind, Kind::accepted);
  smsc.stop();
  ASSERT_EQ(messages.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(messages[i].esm_class, 0x40);
    EXPECT_EQ(messages[i].octets.substr(0, 3), std::string("\x05\x00\x03", 3));
    EXPECT_EQ(messages[i].octets[4], 2);
    EXPECT_EQ(messages[i].octets[5], static_cast<char>(1 + i % 2));
  }
  EXPECT_EQ(messages[0].octets.size(), 159U);
  EXPECT_EQ(messages[0].octets[3], messages[1].octets[3]);
  EXPECT_NE(messages[1].octets[3], messages[2].octets[3]);  // another text, another reference
}

TEST_F(SmppProviderTest, NeedsEveryPartAccepted) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
    peer.welcome();
    peer.accept(peer.read(SmppCommand::submit_sm).value(), "1");
    peer.answer(peer.read(SmppCommand::submit_sm).value(), 0x58);
    peer.wait_for_end();
  }});
  connect(smsc);
  const auto outcome = send(sms(std::string(400, 'a')));
  EXPECT_EQ(outcome.kind, Kind::throttled);
  EXPECT_EQ(outcome.reason, "smpp 0x58");
}

TEST_F(SmppProviderTest, ReadsReceiptsAlsoBeforeTheAnswer) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
    peer.welcome();
    const auto pdu = peer.read(SmppCommand::submit_sm).value();
    peer.receipt("id:0000006699 sub:001 dlvrd:001 stat:DELIVRD err:000 text:481623", 1);
    peer.read(SmppCommand::deliver_sm_resp);
    peer.accept(pdu, "1A2B");
    peer.receipt("id:0000000777 stat:UNDELIV err:011", 2);
    peer.receipt("a person's answer", 3);
    std::vector<net::SmppTlv> tlvs;
    tlvs.push_back({net::smpp_tag::k_receipted_message_id, Secret(std::string("1a2b\0", 5))});
    tlvs.push_back({net::smpp_tag::k_message_state, Secret(std::string("\x02"))});
    peer.receipt("", 4, std::move(tlvs));
    peer.wait_for_end();
  }});
  connect(smsc);
  const auto outcome = send(sms("481623"));
  EXPECT_EQ(outcome.message_id, "6699");
  ASSERT_TRUE(run_until([&] { return receipts.size() == 3; }));
  EXPECT_EQ(receipts[0].message_id, "6699");
  EXPECT_EQ(receipts[0].state, State::delivered);
  EXPECT_EQ(receipts[1].message_id, "777");
  EXPECT_EQ(receipts[1].state, State::failed);
  EXPECT_EQ(receipts[1].reason, "undeliverable 011");
  EXPECT_EQ(receipts[2].message_id, "6699");
}

TEST_F(SmppProviderTest, ClassifiesWhatGoesWrong) {
  TestSmsc smsc({[](TestSmscPeer& peer) {
    peer.welcome();
    peer.answer(peer.read(SmppCommand::submit_sm).value(), 0x0b);
    peer.read(SmppCommand::submit_sm);  // no answer
    peer.read(SmppCommand::submit_sm);  // and then none ever
  }});
  connect(smsc);
  const auto rejected = send(sms("1"));
  EXPECT_EQ(rejected.kind, Kind::rejected);
  EXPECT_EQ(rejected.reason, "smpp 0x0b");
  const auto late = send(sms("2"), Millis(30));
  EXPECT_EQ(late.kind, Kind::transient);
  EXPECT_EQ(late.reason, "timeout");
  const auto lost = send(sms("3"));
  EXPECT_EQ(lost.kind, Kind::transient);
  EXPECT_EQ(lost.reason, "no connection");
}

TEST_F(SmppProviderTest, IsMisconfiguredWhenTheBindIsRefused) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.welcome(0x0e); }});
  connect(smsc);
  const auto outcome = send(sms("1"));
  EXPECT_EQ(outcome.kind, Kind::misconfigured);
  EXPECT_EQ(outcome.reason, "smpp bind 0x0e");
}

TEST_F(SmppProviderTest, SendsNothingThatCannotBeSent) {
  TestSmsc smsc({[](TestSmscPeer& peer) { peer.wait_for_end(); }});
  connect(smsc);
  auto mail = sms("1");
  mail.channel = "email";
  EXPECT_EQ(send(mail).reason, "channel");
  for (const char* to : {"14155552671", "+", "+1415555x", "+1234567890123456", ""}) {
    auto message = sms("1");
    message.to = Secret(std::string(to));
    const auto outcome = send(message);
    EXPECT_EQ(outcome.kind, Kind::rejected) << to;
    EXPECT_EQ(outcome.reason, "address") << to;
  }
  EXPECT_EQ(send(sms("\xff")).kind, Kind::misconfigured);
  EXPECT_EQ(send(sms(std::string(5'000, 'a'))).reason, "text");
}

TEST(Smpp, ClassifiesEveryStatus) {
  const struct {
    std::uint32_t status;
    Kind kind;
    Kind of_bind;
  } cases[] = {
      {0x00, Kind::accepted, Kind::accepted},
      {0x01, Kind::misconfigured, Kind::misconfigured},
      {0x04, Kind::transient, Kind::transient},
      {0x05, Kind::transient, Kind::transient},
      {0x08, Kind::transient, Kind::transient},
      {0x0a, Kind::misconfigured, Kind::misconfigured},
      {0x0b, Kind::rejected, Kind::transient},
      {0x0d, Kind::misconfigured, Kind::misconfigured},
      {0x0e, Kind::misconfigured, Kind::misconfigured},
      {0x0f, Kind::misconfigured, Kind::misconfigured},
      {0x14, Kind::transient, Kind::transient},
      {0x45, Kind::transient, Kind::transient},
      {0x58, Kind::throttled, Kind::throttled},
      {0xfe, Kind::transient, Kind::transient},
      {0xff, Kind::transient, Kind::transient},
      {0x104, Kind::misconfigured, Kind::misconfigured},
      {0x400, Kind::transient, Kind::transient},
      {0xffffffff, Kind::transient, Kind::transient},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(classify_smpp({c.status, "1", false}).kind, c.kind) << c.status;
    EXPECT_EQ(classify_smpp({c.status, "", true}).kind, c.of_bind) << c.status;
  }
  EXPECT_EQ(classify_smpp({0x58, "", false}).reason, "smpp 0x58");
  EXPECT_EQ(classify_smpp({0x104, "", true}).reason, "smpp bind 0x104");
}

TEST(Smpp, KnowsItsSender) {
  const struct {
    std::string from;
    int ton, npi;
    std::string address;
  } cases[] = {
      {"ACME", 5, 0, "ACME"},
      {"4ACME", 5, 0, "4ACME"},
      {"+15005550006", 1, 1, "15005550006"},
      {"15005550006", 1, 1, "15005550006"},
      {"72727", 3, 0, "72727"},
      {"727272", 3, 0, "727272"},
      {"7272727", 1, 1, "7272727"},
      {"+72727", 1, 1, "72727"},
  };
  for (const auto& c : cases) {
    const auto sender = smpp_sender(c.from, std::nullopt, std::nullopt);
    EXPECT_EQ(sender.ton, c.ton) << c.from;
    EXPECT_EQ(sender.npi, c.npi) << c.from;
    EXPECT_EQ(sender.address.reveal(), c.address) << c.from;
  }
  const auto told = smpp_sender("72727", 0, 8);
  EXPECT_EQ(told.ton, 0);
  EXPECT_EQ(told.npi, 8);
}

TEST(Smpp, WritesTheValidity) {
  EXPECT_EQ(smpp_validity(Seconds(300)), "000000000500000R");
  EXPECT_EQ(smpp_validity(Millis(299'999)), "000000000459000R");
  EXPECT_EQ(smpp_validity(Millis(-5)), "000000000001000R");
  EXPECT_EQ(smpp_validity(std::chrono::hours(25) + Seconds(61)), "000001010101000R");
  EXPECT_EQ(smpp_validity(std::chrono::days(1'000)), "000099000000000R");
}

TEST_F(SmppProviderTest, RefusesImpossibleSettings) {
  const auto error = [&](auto change) {
    SmppConfig config = config_for(1);
    change(config);
    const auto made = make_smpp(std::move(config), loop, random, nullptr);
    return made ? std::string("made") : made.error().message;
  };
  EXPECT_EQ(error([](SmppConfig&) {}), "made");
  EXPECT_EQ(error([](SmppConfig& c) { c.session.target.host.clear(); }),
            "smpp: address: no host and port");
  EXPECT_EQ(error([](SmppConfig& c) { c.session.target.port = 0; }),
            "smpp: address: no host and port");
  EXPECT_EQ(error([](SmppConfig& c) { c.session.system_id.clear(); }), "smpp: system_id: missing");
  EXPECT_EQ(error([](SmppConfig& c) { c.session.system_id = "1234567890123456"; }),
            "smpp: cannot write system_id");
  EXPECT_EQ(error([](SmppConfig& c) { c.session.window = 0; }), "smpp: window: must not be 0");
  for (const char* from : {"", "+", "TwelveLetter", "+12345678901234567", "a\nb", "\xc3\xa4"}) {
    EXPECT_EQ(error([&](SmppConfig& c) { c.from = from; }),
              "smpp: from: no number, short code or name of at most 11 bytes");
  }
}

}  // namespace
}  // namespace otpd::providers
