// SMPP 3.4 on the wire: the PDUs that a simulated message centre reads and writes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace otpd::sim::smpp {

// Section 5.1.2.1. An answer's id is its request's with the top bit set.
enum Command : std::uint32_t {
  bind_receiver = 0x01,
  bind_transmitter = 0x02,
  submit_sm = 0x04,
  deliver_sm = 0x05,
  unbind = 0x06,
  bind_transceiver = 0x09,
  enquire_link = 0x15,
  response = 0x80000000,
  generic_nack = 0x80000000,
};

// Section 5.1.3.
enum Status : std::uint32_t {
  ok = 0x00,
  invalid_length = 0x02,
  invalid_command = 0x03,
  wrong_state = 0x04,
  already_bound = 0x05,
  system_error = 0x08,
  invalid_destination = 0x0b,
  bind_failed = 0x0d,
  wrong_password = 0x0e,
  wrong_system_id = 0x0f,
  queue_full = 0x14,
  invalid_esm_class = 0x43,
  throttled = 0x58,
  unknown_encoding = 0x104,
};

// Section 5.3.2.
enum Tag : std::uint16_t {
  receipted_message_id = 0x001e,
  sar_msg_ref_num = 0x020c,
  sar_total_segments = 0x020e,
  sar_segment_seqnum = 0x020f,
  message_payload = 0x0424,
  message_state = 0x0427,
};

inline constexpr std::size_t k_header_bytes = 16;
inline constexpr std::size_t k_max_pdu_bytes = 16 * 1024;

struct Pdu {
  std::uint32_t command = 0;
  std::uint32_t status = 0;
  std::uint32_t sequence = 0;
  std::string body;
};

std::string encode(const Pdu& pdu);

// The length of the PDU at the front of `bytes`, once its first four bytes are there; nothing
// before. Below k_header_bytes or above k_max_pdu_bytes, no PDU can follow.
std::optional<std::size_t> length_of(std::string_view bytes);
// A whole PDU of that length.
Pdu decode(std::string_view bytes);

struct Bind {
  std::string system_id;
  std::string password;
};
std::optional<Bind> parse_bind(std::string_view body);

struct Address {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  std::string digits;
};

// submit_sm and deliver_sm have the same body.
struct ShortMessage {
  Address source;
  Address destination;
  std::uint8_t esm_class = 0;
  std::uint8_t registered_delivery = 0;
  std::uint8_t data_coding = 0;
  std::string text;  // short_message, as it stands
  std::map<std::uint16_t, std::string> options;
};
std::optional<ShortMessage> parse_message(std::string_view body);
std::string encode_message(const ShortMessage& message);

}  // namespace otpd::sim::smpp
