#include "smpp_parts.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace otpd::sim::smpp {
namespace {

// A submit_sm of another implementation, byte for byte: "Code @$_{[€ 123456" from ACME.
constexpr std::string_view k_submit =
    "00000045000000040000000000000002000500"
    "41434d4500010131343135353535323637310000000000000100000015"
    "436f646520"
    "00"
    "02111b281b3c1b6520313233343536";

TEST(SmppPdu, ReadsWhatOthersWrite) {
  const std::string bytes = *hex_decode(k_submit);
  ASSERT_EQ(length_of(bytes), bytes.size());
  const Pdu pdu = decode(bytes);
  EXPECT_EQ(pdu.command, submit_sm);
  EXPECT_EQ(pdu.sequence, 2U);
  EXPECT_EQ(encode(pdu), bytes);
  const auto message = parse_message(pdu.body);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->source.digits, "ACME");
  EXPECT_EQ(message->destination.digits, "14155552671");
  EXPECT_EQ(message->registered_delivery, 1);
  EXPECT_EQ(decode_text(message->data_coding, message->text), "Code @$_{[€ 123456");
}

ShortMessage sample() {
  return {.source = {5, 0, "ACME"},
          .destination = {1, 1, "14155552671"},
          .esm_class = 0,
          .registered_delivery = 1,
          .data_coding = 0,
          .text = std::string("Code \0\x02", 7),
          .options = {{receipted_message_id, std::string("id\0", 3)}}};
}

TEST(SmppPdu, ReadsWhatItWrites) {
  const std::string body = encode_message(sample());
  const auto again = parse_message(body);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->source.digits, "ACME");
  EXPECT_EQ(again->source.ton, 5);
  EXPECT_EQ(again->destination.digits, "14155552671");
  EXPECT_EQ(again->registered_delivery, 1);
  EXPECT_EQ(again->text, sample().text);
  EXPECT_EQ(again->options, sample().options);
  EXPECT_EQ(encode_message(*again), body);
}

TEST(SmppPdu, RefusesWhatIsCutShort) {
  const std::string body = encode_message(sample());
  const std::size_t without_options = body.size() - 7;
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(parse_message(body.substr(0, size)).has_value(), size == without_options) << size;
  }
  EXPECT_FALSE(parse_bind(std::string("simulated\0password", 18)).has_value());
  EXPECT_FALSE(length_of("\0\0\0").has_value());
  const std::string bind("simulated\0password\0\0\x34\0\0\0", 24);
  ASSERT_TRUE(parse_bind(bind).has_value());
  EXPECT_EQ(parse_bind(bind)->password, "password");
}

ShortMessage with_header(std::string bytes) {
  ShortMessage message = sample();
  message.esm_class = 0x40;
  message.text = std::move(bytes);
  return message;
}

TEST(SmppParts, ReadsBothReferencesAndTheOptions) {
  const auto eight = part_of(with_header(std::string("\x05\0\x03\x2a\x02\x01text", 10)));
  ASSERT_TRUE(eight.has_value());
  EXPECT_EQ(eight->reference, 0x2aU);
  EXPECT_EQ(eight->total, 2);
  EXPECT_EQ(eight->number, 1);
  EXPECT_EQ(eight->bytes, "text");
  const auto sixteen = part_of(with_header(std::string("\x06\x08\x04\x01\x02\x03\x03x", 8)));
  ASSERT_TRUE(sixteen.has_value());
  EXPECT_EQ(sixteen->reference, 0x102U);
  EXPECT_EQ(sixteen->number, 3);
  ShortMessage sar = sample();
  sar.options = {{sar_msg_ref_num, std::string("\0\x09", 2)},
                 {sar_total_segments, "\x02"},
                 {sar_segment_seqnum, "\x02"}};
  ASSERT_TRUE(part_of(sar).has_value());
  EXPECT_EQ(part_of(sar)->number, 2);
  ShortMessage payload = sample();
  payload.text.clear();
  payload.options[message_payload] = "long";
  EXPECT_EQ(part_of(payload)->bytes, "long");
  EXPECT_EQ(part_of(payload)->total, 1);
}

TEST(SmppParts, RefusesHeadersThatContradictThemselves) {
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("\x05", 1),
        std::string_view("\x05\0\x03\x2a\x02", 5), std::string_view("\x05\0\x03\x2a\x02\x03x", 7),
        std::string_view("\x05\0\x03\x2a\x02\0x", 7),
        std::string_view("\x03\0\x05\x2a\x02\x01", 6)}) {
    EXPECT_FALSE(part_of(with_header(std::string(bytes))).has_value());
  }
  ShortMessage both = sample();
  both.options[message_payload] = "and a text";
  EXPECT_FALSE(part_of(both).has_value());
}

TEST(SmppParts, CollectsInAnyOrderAndKeepsMessagesApart) {
  PartCollector parts;
  EXPECT_FALSE(parts.add("A", "B", {7, 3, 3, "c"}).has_value());
  EXPECT_FALSE(parts.add("A", "B", {7, 3, 1, "a"}).has_value());
  EXPECT_FALSE(parts.add("A", "C", {7, 3, 2, "x"}).has_value());
  EXPECT_FALSE(parts.add("A", "B", {7, 3, 1, "a"}).has_value()) << "the same one again";
  EXPECT_EQ(parts.add("A", "B", {7, 3, 2, "b"}), "abc");
  EXPECT_FALSE(parts.add("A", "B", {7, 3, 2, "b"}).has_value()) << "a new one of that reference";
  EXPECT_EQ(parts.add("A", "B", {0, 1, 1, "whole"}), "whole");
}

TEST(SmppParts, ForgetsTheOldestBeyondItsLimit) {
  PartCollector parts;
  for (std::uint32_t i = 0; i <= PartCollector::k_max_pending; ++i) {
    EXPECT_FALSE(parts.add("A", "B", {i, 2, 1, "a"}).has_value());
  }
  EXPECT_FALSE(parts.add("A", "B", {0, 2, 2, "b"}).has_value());
  EXPECT_EQ(parts.add("A", "B", {PartCollector::k_max_pending, 2, 2, "b"}), "ab");
}

TEST(SmppParts, DecodesByItsCoding) {
  EXPECT_EQ(decode_text(0, std::string("\0\x02\x1b\x65", 4)), "@$€");
  EXPECT_EQ(decode_text(1, "plain"), "plain");
  EXPECT_EQ(decode_text(3, "\xe9"), "é");
  EXPECT_EQ(decode_text(8, std::string("\x04\x16\xd8\x3d\xde\x00", 6)), "Ж😀");
  EXPECT_FALSE(decode_text(4, "x").has_value());
}

}  // namespace
}  // namespace otpd::sim::smpp
