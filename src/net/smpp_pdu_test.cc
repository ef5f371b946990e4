#include "net/smpp_pdu.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "net/gsm0338.h"

namespace otpd::net {
namespace {

std::string from_hex(std::string_view hex) {
  std::string digits(hex);
  std::erase(digits, ' ');
  return hex_decode(digits).value();
}

SmppPdu only_pdu(std::string_view bytes) {
  SmppReader reader;
  reader.feed(bytes);
  auto pdu = reader.next();
  EXPECT_TRUE(pdu && *pdu);
  return pdu && *pdu ? std::move(**pdu) : SmppPdu{};
}

// As an SMSC received it: sender ACME, "Code @$_{[€ 123456" to +14155552671.
const std::string k_submit_example = from_hex(
    "00000045 00000004 00000000 00000002 00 0500 41434d4500 0101 313431353535353236373100 00 00 00 "
    "00 00 01 00 00 00 15 436f646520 00 02 11 1b28 1b3c 1b65 20 313233343536");

SmppMessage submit_example() {
  SmppMessage m;
  m.source = {5, 0, Secret(std::string("ACME"))};
  m.destination = {1, 1, Secret(std::string("14155552671"))};
  m.registered_delivery = 1;
  m.short_message = std::move(encode_sms("Code @$_{[€ 123456", 0, 1)->parts[0]);
  return m;
}

TEST(SmppPdu, WritesTheExample) {
  std::string bytes;
  const auto body = write_smpp_message(submit_example());
  ASSERT_TRUE(body);
  append_smpp_pdu(bytes, {SmppCommand::submit_sm, 0, 2}, body->reveal());
  EXPECT_EQ(hex_encode(bytes), hex_encode(k_submit_example));
}

TEST(SmppPdu, ReadsTheExample) {
  const SmppPdu pdu = only_pdu(k_submit_example);
  EXPECT_EQ(pdu.header.command, SmppCommand::submit_sm);
  EXPECT_EQ(pdu.header.status, 0U);
  EXPECT_EQ(pdu.header.sequence, 2U);
  const auto m = read_smpp_message(pdu.body.reveal());
  ASSERT_TRUE(m) << m.error().message;
  EXPECT_EQ(m->source.ton, 5);
  EXPECT_EQ(m->source.npi, 0);
  EXPECT_EQ(m->source.address.reveal(), "ACME");
  EXPECT_EQ(m->destination.ton, 1);
  EXPECT_EQ(m->destination.address.reveal(), "14155552671");
  EXPECT_EQ(m->registered_delivery, 1);
  EXPECT_EQ(decode_gsm7(m->short_message.reveal()), "Code @$_{[€ 123456");
  EXPECT_TRUE(m->tlvs.empty());
}

TEST(SmppPdu, EveryFieldGoesBothWays) {
  SmppMessage m = submit_example();
  m.service_type = "OTP";
  m.source = {3, 6, Secret(std::string("12345678901234567890"))};
  m.esm_class = 0x40;
  m.protocol_id = 1;
  m.priority = 2;
  m.schedule_delivery_time = "991231235959000+";
  m.validity_period = "000000000500000R";
  m.replace_if_present = 1;
  m.data_coding = 8;
  m.default_message_id = 3;
  m.tlvs.push_back({smpp_tag::k_message_payload, Secret(std::string(3'000, 'x'))});
  m.tlvs.push_back({smpp_tag::k_message_state, Secret(std::string("\x02"))});
  m.tlvs.push_back({0x1400, Secret()});
  const auto body = write_smpp_message(m);
  ASSERT_TRUE(body);
  const auto read = read_smpp_message(body->reveal());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->service_type, "OTP");
  EXPECT_EQ(read->source.address.reveal(), "12345678901234567890");
  EXPECT_EQ(read->esm_class, 0x40);
  EXPECT_EQ(read->protocol_id, 1);
  EXPECT_EQ(read->priority, 2);
  EXPECT_EQ(read->schedule_delivery_time, "991231235959000+");
  EXPECT_EQ(read->validity_period, "000000000500000R");
  EXPECT_EQ(read->replace_if_present, 1);
  EXPECT_EQ(read->data_coding, 8);
  EXPECT_EQ(read->default_message_id, 3);
  ASSERT_EQ(read->tlvs.size(), 3U);
  EXPECT_EQ(read->find(smpp_tag::k_message_payload)->value.size(), 3'000U);
  EXPECT_EQ(read->find(smpp_tag::k_message_state)->value.reveal(), "\x02");
  EXPECT_EQ(read->find(smpp_tag::k_receipted_message_id), nullptr);
  EXPECT_EQ(write_smpp_message(*read)->reveal(), body->reveal());
}

TEST(SmppPdu, BindsBothWays) {
  const auto body = write_smpp_bind({.system_id = "otpd", .password = Secret(std::string("pass"))});
  ASSERT_TRUE(body);
  EXPECT_EQ(hex_encode(body->reveal()),
            "6f74706400"
            "7061737300"
            "00340000"
            "00");
  const auto bind = read_smpp_bind(body->reveal());
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->system_id, "otpd");
  EXPECT_EQ(bind->password.reveal(), "pass");
  EXPECT_EQ(bind->interface_version, 0x34);
  EXPECT_FALSE(read_smpp_bind(std::string(body->reveal()) + "x"));
  EXPECT_FALSE(read_smpp_bind(body->reveal().substr(0, 10)));
}

TEST(SmppPdu, RefusesToWriteWhatDoesNotFit) {
  const auto error = [](auto change) {
    SmppMessage m = submit_example();
    change(m);
    const auto body = write_smpp_message(m);
    return body ? "written" : body.error().message;
  };
  EXPECT_EQ(error([](SmppMessage& m) { m.short_message = Secret(std::string(254, 'x')); }),
            "written");
  EXPECT_EQ(error([](SmppMessage& m) { m.short_message = Secret(std::string(255, 'x')); }),
            "smpp: cannot write short_message");
  EXPECT_EQ(error([](SmppMessage& m) { m.source.address = Secret(std::string(21, '1')); }),
            "smpp: cannot write source_addr");
  EXPECT_EQ(error([](SmppMessage& m) { m.destination.address = Secret(std::string("1\0002", 3)); }),
            "smpp: cannot write destination_addr");
  EXPECT_EQ(error([](SmppMessage& m) { m.validity_period = "5"; }),
            "smpp: cannot write validity_period");
  EXPECT_EQ(error([](SmppMessage& m) { m.service_type = "123456"; }),
            "smpp: cannot write service_type");
  EXPECT_FALSE(
      write_smpp_bind({.system_id = "otpd", .password = Secret(std::string("123456789"))}));
  EXPECT_FALSE(write_smpp_bind({.system_id = "1234567890123456", .password = {}}));
}

TEST(SmppPdu, RefusesMalformedBodies) {
  const std::string body(only_pdu(k_submit_example).body.reveal());
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(read_smpp_message(body.substr(0, size))) << size;
  }
  EXPECT_FALSE(read_smpp_message(body + '\x00'));
  EXPECT_FALSE(read_smpp_message(body + from_hex("0427 0002 01")));  // TLV cut short
  EXPECT_FALSE(read_smpp_message(std::string(6, 'x') + body));       // service_type without end
  std::string long_address = body;
  long_address.insert(3, 17, '1');
  EXPECT_FALSE(read_smpp_message(long_address));
  std::string many = body;
  for (std::size_t i = 0; i < k_smpp_max_tlvs; ++i) many += from_hex("1400 0000");
  EXPECT_TRUE(read_smpp_message(many));
  EXPECT_FALSE(read_smpp_message(many + from_hex("1400 0000")));
}

TEST(SmppPdu, ReadsMessageIds) {
  using namespace std::string_literals;
  EXPECT_EQ(read_smpp_message_id(""), "");
  EXPECT_EQ(read_smpp_message_id("\0"s), "");
  EXPECT_EQ(read_smpp_message_id("1A2b\0"s), "1A2b");
  EXPECT_EQ(read_smpp_message_id("1\0\x04\x27"s), "1");
  EXPECT_EQ(read_smpp_message_id(std::string(64, '1') + "\0"s), std::string(64, '1'));
  EXPECT_FALSE(read_smpp_message_id(std::string(65, '1') + "\0"s));
  EXPECT_FALSE(read_smpp_message_id("1234"));
}

TEST(SmppReader, TakesAnyCut) {
  std::string stream;
  append_smpp_pdu(stream, {SmppCommand::enquire_link, 0, 7}, "");
  stream += k_submit_example;
  append_smpp_pdu(stream, {SmppCommand::generic_nack, 3, k_smpp_max_sequence}, "");
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    SmppReader reader;
    std::vector<SmppPdu> pdus;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::string_view(stream).substr(at, step));
      for (;;) {
        auto pdu = reader.next();
        ASSERT_TRUE(pdu);
        if (!*pdu) break;
        pdus.push_back(std::move(**pdu));
      }
    }
    ASSERT_EQ(pdus.size(), 3U) << "in steps of " << step;
    EXPECT_EQ(pdus[0].header.sequence, 7U);
    EXPECT_EQ(pdus[1].body.size(), 0x45U - 16U);
    EXPECT_EQ(pdus[2].header.command, SmppCommand::generic_nack);
    EXPECT_EQ(pdus[2].header.status, 3U);
    EXPECT_EQ(pdus[2].header.sequence, k_smpp_max_sequence);
  }
}

TEST(SmppReader, RefusesImpossibleLengthsAtOnce) {
  for (const std::string_view length :
       {"00000000", "0000000f", "00004001", "ffffffff", "48545450"}) {
    SmppReader reader;
    reader.feed(from_hex(length));
    EXPECT_FALSE(reader.next()) << length;
    reader.feed(k_submit_example);
    EXPECT_FALSE(reader.next()) << length;
  }
  SmppReader small(64);
  small.feed(k_submit_example);
  EXPECT_FALSE(small.next());
  SmppReader waiting;
  waiting.feed(from_hex("00004000"));
  EXPECT_TRUE(waiting.next().value() == std::nullopt);
}

}  // namespace
}  // namespace otpd::net
