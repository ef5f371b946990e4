#include "net/smpp_pdu.h"

#include <algorithm>
#include <utility>

namespace otpd::net {
namespace {

// Sizes of C-octet strings with their NUL (section 4).
constexpr std::size_t k_service_type_size = 6;
constexpr std::size_t k_system_id_size = 16;
constexpr std::size_t k_password_size = 9;
constexpr std::size_t k_system_type_size = 13;
constexpr std::size_t k_address_range_size = 41;
constexpr std::size_t k_address_size = 21;
constexpr std::size_t k_time_size = 17;
constexpr std::size_t k_message_id_size = 65;
constexpr std::size_t k_max_short_message = 254;

// Makes room for `count` more bytes; a buffer that is left behind is wiped.
void grow_wiping(std::string& out, std::size_t count) {
  if (out.capacity() - out.size() >= count) return;
  std::string bigger;
  bigger.reserve(std::max(out.size() + count, 2 * out.capacity()));
  bigger = out;
  wipe(out);
  out = std::move(bigger);
}

void put_u16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}
void put_u32(std::string& out, std::uint32_t value) {
  put_u16(out, static_cast<std::uint16_t>(value >> 16));
  put_u16(out, static_cast<std::uint16_t>(value & 0xffff));
}
std::uint16_t get_u16(std::string_view bytes) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(bytes[0]) << 8) |
                                    static_cast<unsigned char>(bytes[1]));
}
std::uint32_t get_u32(std::string_view bytes) {
  return (static_cast<std::uint32_t>(get_u16(bytes)) << 16) | get_u16(bytes.substr(2));
}

// Writes a body; remembers the first field that does not fit.
class BodyWriter {
 public:
  explicit BodyWriter(std::size_t room) { out_.reserve(room); }
  ~BodyWriter() { wipe(out_); }

  void u8(std::uint8_t value) { out_ += static_cast<char>(value); }
  void c_string(std::string_view value, std::size_t size, const char* field) {
    if (value.size() >= size || value.contains('\0')) refuse(field);
    append(value);
    u8(0);
  }
  void time(const std::string& value, const char* field) {
    if (!value.empty() && value.size() != k_time_size - 1) refuse(field);
    c_string(value, k_time_size, field);
  }
  void address(const SmppAddress& value, const char* field) {
    u8(value.ton);
    u8(value.npi);
    c_string(value.address.reveal(), k_address_size, field);
  }
  void tlv(const SmppTlv& value) {
    if (value.value.size() > 0xffff) return refuse("tlv");
    grow_wiping(out_, 4);
    put_u16(out_, value.tag);
    put_u16(out_, static_cast<std::uint16_t>(value.value.size()));
    append(value.value.reveal());
  }
  void short_message(std::string_view value) {
    if (value.size() > k_max_short_message) return refuse("short_message");
    u8(static_cast<std::uint8_t>(value.size()));
    append(value);
  }
  Result<Secret> finish() {
    if (out_.size() > k_smpp_max_pdu_bytes - k_smpp_header_bytes) refuse("body");
    if (bad_field_) return fail(Failure::invalid, std::string("smpp: cannot write ") + bad_field_);
    return Secret(std::move(out_));
  }

 private:
  void append(std::string_view bytes) {
    grow_wiping(out_, bytes.size() + 1);
    out_.append(bytes);
  }
  void refuse(const char* field) {
    if (!bad_field_) bad_field_ = field;
  }
  std::string out_;
  const char* bad_field_ = nullptr;
};

// Reads a body; after the first field that is wrong everything is empty.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}

  std::uint8_t u8() {
    const std::string_view byte = take(1, "end");
    return byte.empty() ? 0 : static_cast<std::uint8_t>(byte[0]);
  }
  std::string_view c_string(std::size_t size, const char* field) {
    const std::size_t end = rest_.substr(0, size).find('\0');
    if (end == rest_.npos) {
      refuse(field);
      return {};
    }
    const std::string_view value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return value;
  }
  std::string time(const char* field) {
    const std::string_view value = c_string(k_time_size, field);
    if (!value.empty() && value.size() != k_time_size - 1) refuse(field);
    return std::string(value);
  }
  SmppAddress address(const char* field) {
    SmppAddress out;
    out.ton = u8();
    out.npi = u8();
    out.address = Secret(std::string(c_string(k_address_size, field)));
    return out;
  }
  Secret short_message() {
    const std::size_t size = u8();
    if (size > k_max_short_message) refuse("short_message");
    return Secret(std::string(take(size, "short_message")));
  }
  std::vector<SmppTlv> tlvs() {
    std::vector<SmppTlv> out;
    while (!rest_.empty()) {
      const std::string_view head = take(4, "tlv");
      if (head.empty() || out.size() == k_smpp_max_tlvs) {
        refuse("tlv");
        break;
      }
      const std::string_view value = take(get_u16(head.substr(2)), "tlv");
      out.push_back({get_u16(head), Secret(std::string(value))});
    }
    return out;
  }
  // What is wrong, if anything.
  std::optional<Error> problem() const {
    if (!bad_field_) return std::nullopt;
    return Error{Failure::invalid, std::string("smpp: cannot read ") + bad_field_};
  }
  bool at_end() const { return rest_.empty(); }
  void refuse(const char* field) {
    if (!bad_field_) bad_field_ = field;
    rest_ = {};
  }

 private:
  std::string_view take(std::size_t count, const char* field) {
    if (count > rest_.size()) {
      refuse(field);
      return {};
    }
    const std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
  const char* bad_field_ = nullptr;
};

}  // namespace

const SmppTlv* SmppMessage::find(std::uint16_t tag) const {
  const auto found = std::ranges::find(tlvs, tag, &SmppTlv::tag);
  return found == tlvs.end() ? nullptr : &*found;
}

Result<Secret> write_smpp_bind(const SmppBind& bind) {
  BodyWriter out(128);
  out.c_string(bind.system_id, k_system_id_size, "system_id");
  out.c_string(bind.password.reveal(), k_password_size, "password");
  out.c_string(bind.system_type, k_system_type_size, "system_type");
  out.u8(bind.interface_version);
  out.u8(bind.address_ton);
  out.u8(bind.address_npi);
  out.c_string(bind.address_range, k_address_range_size, "address_range");
  return out.finish();
}

Result<Secret> write_smpp_message(const SmppMessage& m) {
  BodyWriter out(384);
  out.c_string(m.service_type, k_service_type_size, "service_type");
  out.address(m.source, "source_addr");
  out.address(m.destination, "destination_addr");
  out.u8(m.esm_class);
  out.u8(m.protocol_id);
  out.u8(m.priority);
  out.time(m.schedule_delivery_time, "schedule_delivery_time");
  out.time(m.validity_period, "validity_period");
  out.u8(m.registered_delivery);
  out.u8(m.replace_if_present);
  out.u8(m.data_coding);
  out.u8(m.default_message_id);
  out.short_message(m.short_message.reveal());
  for (const SmppTlv& tlv : m.tlvs) out.tlv(tlv);
  return out.finish();
}

std::string write_smpp_name(std::string_view name) {
  std::string out(name);
  out += '\0';
  return out;
}

Result<SmppBind> read_smpp_bind(std::string_view body) {
  BodyReader in(body);
  SmppBind bind;
  bind.system_id = in.c_string(k_system_id_size, "system_id");
  bind.password = Secret(std::string(in.c_string(k_password_size, "password")));
  bind.system_type = in.c_string(k_system_type_size, "system_type");
  bind.interface_version = in.u8();
  bind.address_ton = in.u8();
  bind.address_npi = in.u8();
  bind.address_range = in.c_string(k_address_range_size, "address_range");
  if (!in.at_end()) in.refuse("end");
  if (auto problem = in.problem()) return std::unexpected(std::move(*problem));
  return bind;
}

Result<SmppMessage> read_smpp_message(std::string_view body) {
  BodyReader in(body);
  SmppMessage m;
  m.service_type = in.c_string(k_service_type_size, "service_type");
  m.source = in.address("source_addr");
  m.destination = in.address("destination_addr");
  m.esm_class = in.u8();
  m.protocol_id = in.u8();
  m.priority = in.u8();
  m.schedule_delivery_time = in.time("schedule_delivery_time");
  m.validity_period = in.time("validity_period");
  m.registered_delivery = in.u8();
  m.replace_if_present = in.u8();
  m.data_coding = in.u8();
  m.default_message_id = in.u8();
  m.short_message = in.short_message();
  m.tlvs = in.tlvs();
  if (auto problem = in.problem()) return std::unexpected(std::move(*problem));
  return m;
}

Result<std::string> read_smpp_message_id(std::string_view body) {
  if (body.empty()) return std::string();
  BodyReader in(body);
  std::string id(in.c_string(k_message_id_size, "message_id"));
  if (auto problem = in.problem()) return std::unexpected(std::move(*problem));
  return id;
}

void append_smpp_pdu(std::string& out, SmppHeader header, std::string_view body) {
  const std::size_t size = k_smpp_header_bytes + body.size();
  grow_wiping(out, size);
  put_u32(out, static_cast<std::uint32_t>(size));
  put_u32(out, static_cast<std::uint32_t>(header.command));
  put_u32(out, header.status);
  put_u32(out, header.sequence);
  out.append(body);
}

void SmppReader::feed(std::string_view bytes) {
  std::string rest;
  rest.reserve(buffer_.size() - begin_ + bytes.size());
  rest.append(buffer_, begin_).append(bytes);
  wipe(buffer_);
  buffer_ = std::move(rest);
  begin_ = 0;
}

Result<std::optional<SmppPdu>> SmppReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(begin_);
  if (rest.size() < 4) return std::nullopt;
  const std::size_t size = get_u32(rest);
  if (size < k_smpp_header_bytes || size > max_pdu_bytes_) {
    return fail(Failure::invalid, "smpp: a PDU of impossible length");
  }
  if (rest.size() < size) return std::nullopt;
  SmppPdu pdu;
  pdu.header.command = static_cast<SmppCommand>(get_u32(rest.substr(4)));
  pdu.header.status = get_u32(rest.substr(8));
  pdu.header.sequence = get_u32(rest.substr(12));
  pdu.body = Secret(std::string(rest.substr(k_smpp_header_bytes, size - k_smpp_header_bytes)));
  begin_ += size;
  return pdu;
}

}  // namespace otpd::net
