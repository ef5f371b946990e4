#include "providers/smpp_receipt.h"

#include <gtest/gtest.h>

namespace otpd::providers {
namespace {

using State = delivery::Receipt::State;

net::SmppMessage receipt_message(std::string text) {
  net::SmppMessage message;
  message.esm_class = 0x04;
  message.short_message = Secret(std::move(text));
  return message;
}
void add_tlv(net::SmppMessage& message, std::uint16_t tag, std::string value) {
  message.tlvs.push_back({tag, Secret(std::move(value))});
}

TEST(SmppReceipt, ReadsEveryFormOfTheText) {
  const struct {
    std::string name, text, id;
    State state;
    std::string reason;
  } cases[] = {
      {"the specification's",
       "id:0123456789 sub:001 dlvrd:001 submit date:2601301200 done date:2601301201 stat:DELIVRD "
       "err:000 Text:481623 is your code",
       "0123456789", State::delivered, ""},
      {"without spaces in the names, with seconds",
       "id:4f5 sub:001 dlvrd:001 submitdate:260130120000 donedate:260130120100 stat:UNDELIV "
       "err:011 text:x",
       "4f5", State::failed, "undeliverable 011"},
      {"upper case", "ID:Ab-9z SUB:001 DLVRD:000 SUBMIT DATE:1 DONE DATE:2 STAT:EXPIRED ERR:0A4",
       "Ab-9z", State::failed, "expired 0A4"},
      {"commas",
       "id:77,sub:001,dlvrd:001,submit date:2601301200,done date:2601301201,stat:DELIVRD,"
       "err:000,text:a",
       "77", State::delivered, ""},
      {"lower-case state", "id:77 stat:delivrd err:0", "77", State::delivered, ""},
      {"a long state", "id:77 stat:DELIVERED err:0", "77", State::delivered, ""},
      {"spaces after the names", "id: 77 stat: REJECTD err: text:", "77", State::failed,
       "rejected"},
      {"deleted", "id:1 stat:DELETED err:005", "1", State::failed, "deleted 005"},
      {"undeliverable", "id:1 stat:UNDELIVERABLE", "1", State::failed, "undeliverable"},
      {"on its way", "id:1 stat:ENROUTE err:000", "1", State::on_its_way, ""},
      {"accepted", "id:1 stat:ACCEPTD err:000", "1", State::on_its_way, ""},
      {"unknown", "id:1 stat:UNKNOWN err:000", "1", State::on_its_way, ""},
      {"a code that is none", "id:1 stat:UNDELIV err:+14155552671", "1", State::failed,
       "undeliverable"},
      {"line ends", "id:1\r\nstat:DELIVRD\r\n", "1", State::delivered, ""},
  };
  for (const auto& c : cases) {
    const auto receipt = read_smpp_receipt(receipt_message(c.text));
    ASSERT_TRUE(receipt) << c.name;
    EXPECT_EQ(receipt->message_id, c.id) << c.name;
    EXPECT_FALSE(receipt->id_from_tlv) << c.name;
    EXPECT_EQ(receipt->state, c.state) << c.name;
    EXPECT_EQ(receipt->reason, c.reason) << c.name;
  }
}

TEST(SmppReceipt, DoesNotBelieveTheQuotedMessage) {
  const auto quoted =
      read_smpp_receipt(receipt_message("id:1 stat:UNDELIV err:1 text:id:2 stat:DELIVRD"));
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->message_id, "1");
  EXPECT_EQ(quoted->state, State::failed);
  EXPECT_FALSE(read_smpp_receipt(receipt_message("id:1 text:stat:DELIVRD")));
  EXPECT_FALSE(read_smpp_receipt(receipt_message("paid:1 thermostat:DELIVRD")));
}

TEST(SmppReceipt, PrefersTheTlvs) {
  auto message = receipt_message("id:1 stat:ENROUTE err:001");
  add_tlv(message, net::smpp_tag::k_receipted_message_id, std::string("1A2B\0", 5));
  add_tlv(message, net::smpp_tag::k_message_state, "\x05");
  add_tlv(message, net::smpp_tag::k_network_error_code, std::string("\x03\x01\x02", 3));
  const auto receipt = read_smpp_receipt(message);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->message_id, "1A2B");
  EXPECT_TRUE(receipt->id_from_tlv);
  EXPECT_EQ(receipt->state, State::failed);
  EXPECT_EQ(receipt->reason, "undeliverable 258");
}

TEST(SmppReceipt, ReadsTlvsAlone) {
  const struct {
    char number;
    State state;
    std::string reason;
  } cases[] = {
      {0, State::on_its_way, ""},     {1, State::on_its_way, ""},
      {2, State::delivered, ""},      {3, State::failed, "expired"},
      {4, State::failed, "deleted"},  {5, State::failed, "undeliverable"},
      {6, State::on_its_way, ""},     {7, State::on_its_way, ""},
      {8, State::failed, "rejected"}, {9, State::failed, "skipped"},
  };
  for (const auto& c : cases) {
    auto message = receipt_message("");
    add_tlv(message, net::smpp_tag::k_receipted_message_id, "77");  // some leave the NUL out
    add_tlv(message, net::smpp_tag::k_message_state, std::string(1, c.number));
    const auto receipt = read_smpp_receipt(message);
    ASSERT_TRUE(receipt) << int{c.number};
    EXPECT_EQ(receipt->message_id, "77");
    EXPECT_EQ(receipt->state, c.state) << int{c.number};
    EXPECT_EQ(receipt->reason, c.reason) << int{c.number};
  }
}

TEST(SmppReceipt, FindsTheTextWhereverItIs) {
  auto payload = receipt_message("");
  add_tlv(payload, net::smpp_tag::k_message_payload, "id:5 stat:DELIVRD err:000");
  EXPECT_EQ(read_smpp_receipt(payload)->message_id, "5");

  std::string wide;
  for (const char c : std::string("id:6 stat:DELIVRD")) wide += std::string{'\0', c};
  auto ucs2 = receipt_message(wide);
  ucs2.data_coding = 8;
  EXPECT_EQ(read_smpp_receipt(ucs2)->message_id, "6");
}

TEST(SmppReceipt, KnowsWhatIsNone) {
  const std::string text = "id:1 stat:DELIVRD err:000";
  for (const int esm_class : {0x00, 0x08, 0x10, 0x20}) {
    auto message = receipt_message(text);
    message.esm_class = static_cast<std::uint8_t>(esm_class);
    EXPECT_FALSE(read_smpp_receipt(message)) << esm_class;
  }
  auto with_mode = receipt_message(text);
  with_mode.esm_class = 0x07;
  EXPECT_TRUE(read_smpp_receipt(with_mode));
  auto with_header = receipt_message(std::string("\x05\x00\x03\x01\x01\x01", 6) + text);
  with_header.esm_class = 0x44;
  ASSERT_TRUE(read_smpp_receipt(with_header));
  EXPECT_EQ(read_smpp_receipt(with_header)->message_id, "1");
  auto all_header = receipt_message("\xff" + text);
  all_header.esm_class = 0x44;
  EXPECT_FALSE(read_smpp_receipt(all_header));
  for (const char* none :
       {"", "stat:DELIVRD", "id:1", "id: stat:DELIVRD", "id:1 stat:", "id:1 stat:X", "hello"}) {
    EXPECT_FALSE(read_smpp_receipt(receipt_message(none))) << none;
  }
}

}  // namespace
}  // namespace otpd::providers
