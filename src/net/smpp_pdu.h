// SMPP 3.4 PDUs: reading and writing their bytes, without I/O.
//
// Source: "Short Message Peer to Peer Protocol Specification v3.4", issue 1.2, sections 4 and 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace otpd::net {

// A PDU may carry any other number, too.
enum class SmppCommand : std::uint32_t {
  submit_sm = 0x04,
  deliver_sm = 0x05,
  unbind = 0x06,
  bind_transceiver = 0x09,
  outbind = 0x0b,
  enquire_link = 0x15,
  alert_notification = 0x102,
  generic_nack = 0x8000'0000,
  submit_sm_resp = 0x8000'0004,
  deliver_sm_resp = 0x8000'0005,
  unbind_resp = 0x8000'0006,
  bind_transceiver_resp = 0x8000'0009,
  enquire_link_resp = 0x8000'0015,
};

constexpr bool is_response(SmppCommand command) {
  return (static_cast<std::uint32_t>(command) & 0x8000'0000) != 0;
}
constexpr SmppCommand response_to(SmppCommand command) {
  return static_cast<SmppCommand>(static_cast<std::uint32_t>(command) | 0x8000'0000);
}

// The command statuses that this house says or understands (section 5.1.3).
namespace smpp_status {
inline constexpr std::uint32_t k_ok = 0x00;
inline constexpr std::uint32_t k_invalid_length = 0x02;
inline constexpr std::uint32_t k_invalid_command = 0x03;
inline constexpr std::uint32_t k_system_error = 0x08;
inline constexpr std::uint32_t k_invalid_source = 0x0a;
inline constexpr std::uint32_t k_invalid_destination = 0x0b;
inline constexpr std::uint32_t k_bind_failed = 0x0d;
inline constexpr std::uint32_t k_invalid_password = 0x0e;
inline constexpr std::uint32_t k_invalid_system_id = 0x0f;
inline constexpr std::uint32_t k_queue_full = 0x14;
inline constexpr std::uint32_t k_throttled = 0x58;
inline constexpr std::uint32_t k_receiver_refuses = 0x66;  // for good: do not deliver it again
}  // namespace smpp_status

namespace smpp_tag {
inline constexpr std::uint16_t k_receipted_message_id = 0x001e;
inline constexpr std::uint16_t k_network_error_code = 0x0423;
inline constexpr std::uint16_t k_message_payload = 0x0424;
inline constexpr std::uint16_t k_message_state = 0x0427;
}  // namespace smpp_tag

inline constexpr std::size_t k_smpp_header_bytes = 16;
inline constexpr std::size_t k_smpp_max_pdu_bytes = 16 * 1024;  // ours: longer ones are refused
inline constexpr std::uint32_t k_smpp_max_sequence = 0x7fff'ffff;

struct SmppHeader {
  SmppCommand command = SmppCommand::generic_nack;
  std::uint32_t status = smpp_status::k_ok;
  std::uint32_t sequence = 0;
};

// Bodies may hold a code or an address, so they are secrets.
struct SmppPdu {
  SmppHeader header;
  Secret body;
};

struct SmppTlv {
  std::uint16_t tag = 0;
  Secret value;
};

// bind_transceiver.
struct SmppBind {
  std::string system_id;         // at most 15 bytes
  Secret password;               // at most 8
  std::string system_type = {};  // at most 12
  std::uint8_t interface_version = 0x34;
  std::uint8_t address_ton = 0;
  std::uint8_t address_npi = 0;
  std::string address_range = {};  // at most 40
};

struct SmppAddress {
  std::uint8_t ton = 0;
  std::uint8_t npi = 0;
  Secret address;  // at most 20 bytes
};

// submit_sm and deliver_sm, which are laid out alike.
struct SmppMessage {
  std::string service_type;  // at most 5 bytes
  SmppAddress source;
  SmppAddress destination;
  std::uint8_t esm_class = 0;
  std::uint8_t protocol_id = 0;
  std::uint8_t priority = 0;
  std::string schedule_delivery_time;  // empty or 16 bytes
  std::string validity_period;         // empty or 16 bytes
  std::uint8_t registered_delivery = 0;
  std::uint8_t replace_if_present = 0;
  std::uint8_t data_coding = 0;
  std::uint8_t default_message_id = 0;
  Secret short_message;  // at most 254 bytes
  std::vector<SmppTlv> tlvs;

  // The first TLV of that tag, or null.
  const SmppTlv* find(std::uint16_t tag) const;
};

inline constexpr std::uint8_t k_smpp_esm_user_data_header = 0x40;
inline constexpr std::size_t k_smpp_max_tlvs = 64;

// Bodies. Failure::invalid names the field that is too long or holds a NUL.
Result<Secret> write_smpp_bind(const SmppBind& bind);
Result<Secret> write_smpp_message(const SmppMessage& message);
// The body of bind_transceiver_resp (system_id), submit_sm_resp and deliver_sm_resp (message_id).
std::string write_smpp_name(std::string_view name);

// Failure::invalid: a field is not there, too long or not ended, or bytes are left over.
Result<SmppBind> read_smpp_bind(std::string_view body);
Result<SmppMessage> read_smpp_message(std::string_view body);
// The message_id of a submit_sm_resp (at most 64 bytes), empty in an empty body; TLVs after it
// are ignored.
Result<std::string> read_smpp_message_id(std::string_view body);

// Appends the PDU to `out`. Where `out` has to grow, what it held before is wiped.
void append_smpp_pdu(std::string& out, SmppHeader header, std::string_view body);

// Cuts a stream into PDUs, however its bytes arrive. For one thread.
class SmppReader {
 public:
  explicit SmppReader(std::size_t max_pdu_bytes = k_smpp_max_pdu_bytes)
      : max_pdu_bytes_(max_pdu_bytes) {}
  SmppReader(const SmppReader&) = delete;
  SmppReader& operator=(const SmppReader&) = delete;
  ~SmppReader() { wipe(buffer_); }

  // Takes what was received. Call next() until it has no more before feeding again: then no more
  // than one PDU's bytes are ever kept.
  void feed(std::string_view bytes);

  // The next whole PDU; nullopt: more bytes are needed. Failure::invalid: the length cannot be, so
  // the stream is lost, and every later call fails, too.
  Result<std::optional<SmppPdu>> next();

 private:
  std::size_t max_pdu_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace otpd::net
