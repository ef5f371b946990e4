#include "smpp_pdu.h"

namespace otpd::sim::smpp {
namespace {

void put(std::string& out, std::uint32_t value, int bytes) {
  while (bytes-- > 0) out += static_cast<char>((value >> (8 * bytes)) & 0xff);
}

// Reads from the front. After a read beyond the end nothing is valid.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}

  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char c : octets(bytes)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }

  std::string octets(std::size_t count) {
    valid_ = valid_ && count <= rest_.size();
    if (!valid_) return {};
    std::string out(rest_.substr(0, count));
    rest_.remove_prefix(count);
    return out;
  }
  // NUL-ended, at most `most` bytes with the NUL.
  std::string c_string(std::size_t most) {
    const std::size_t end = rest_.find('\0');
    valid_ = valid_ && end != rest_.npos && end < most;
    if (!valid_) return {};
    std::string out(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return out;
  }
  Address address() {
    Address address;
    address.ton = byte();
    address.npi = byte();
    address.digits = c_string(21);
    return address;
  }
  bool valid() const { return valid_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool valid_ = true;
};

void put_address(std::string& out, const Address& address) {
  put(out, address.ton, 1);
  put(out, address.npi, 1);
  out.append(address.digits).push_back('\0');
}

}  // namespace

std::string encode(const Pdu& pdu) {
  std::string out;
  put(out, static_cast<std::uint32_t>(k_header_bytes + pdu.body.size()), 4);
  put(out, pdu.command, 4);
  put(out, pdu.status, 4);
  put(out, pdu.sequence, 4);
  return out + pdu.body;
}

std::optional<std::size_t> length_of(std::string_view bytes) {
  if (bytes.size() < 4) return std::nullopt;
  return BodyReader(bytes).number(4);
}

Pdu decode(std::string_view bytes) {
  BodyReader reader(bytes.substr(4, k_header_bytes - 4));
  Pdu pdu;
  pdu.command = reader.number(4);
  pdu.status = reader.number(4);
  pdu.sequence = reader.number(4);
  pdu.body = bytes.substr(k_header_bytes);
  return pdu;
}

std::optional<Bind> parse_bind(std::string_view body) {
  BodyReader reader(body);
  Bind bind;
  bind.system_id = reader.c_string(16);
  bind.password = reader.c_string(9);
  reader.c_string(13);  // system_type
  reader.octets(3);     // interface_version, addr_ton, addr_npi
  reader.c_string(41);  // address_range
  return reader.valid() ? std::optional(bind) : std::nullopt;
}

std::optional<ShortMessage> parse_message(std::string_view body) {
  BodyReader reader(body);
  ShortMessage message;
  reader.c_string(6);  // service_type
  message.source = reader.address();
  message.destination = reader.address();
  message.esm_class = reader.byte();
  reader.octets(2);     // protocol_id, priority_flag
  reader.c_string(17);  // schedule_delivery_time
  reader.c_string(17);  // validity_period
  message.registered_delivery = reader.byte();
  reader.octets(1);  // replace_if_present_flag
  message.data_coding = reader.byte();
  reader.octets(1);  // sm_default_msg_id
  message.text = reader.octets(reader.byte());
  while (reader.valid() && !reader.at_end()) {
    const auto tag = static_cast<std::uint16_t>(reader.number(2));
    message.options[tag] = reader.octets(reader.number(2));
  }
  return reader.valid() ? std::optional(message) : std::nullopt;
}

std::string encode_message(const ShortMessage& message) {
  std::string out(1, '\0');  // service_type
  put_address(out, message.source);
  put_address(out, message.destination);
  put(out, message.esm_class, 1);
  out.append(4, '\0');  // protocol_id, priority_flag, schedule_delivery_time, validity_period
  put(out, message.registered_delivery, 1);
  out.append(1, '\0');  // replace_if_present_flag
  put(out, message.data_coding, 1);
  out.append(1, '\0');  // sm_default_msg_id
  put(out, static_cast<std::uint32_t>(message.text.size()), 1);
  out += message.text;
  for (const auto& [tag, value] : message.options) {
    put(out, tag, 2);
    put(out, static_cast<std::uint32_t>(value.size()), 2);
    out += value;
  }
  return out;
}

}  // namespace otpd::sim::smpp
