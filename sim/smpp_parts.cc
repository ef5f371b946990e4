#include "smpp_parts.h"

#include <algorithm>

#include "text_codec.h"

namespace otpd::sim::smpp {
namespace {

constexpr std::uint8_t k_has_header = 0x40;

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

// The elements of a user data header (3GPP TS 23.040 section 9.2.3.24): concatenation with an 8-bit
// reference (0) or a 16-bit one (8). False if an element runs over the end.
bool read_header(std::string_view elements, Part& part) {
  while (!elements.empty()) {
    if (elements.size() < 2 || elements.size() < 2U + byte_at(elements, 1)) return false;
    const std::uint8_t id = byte_at(elements, 0);
    const std::string_view data = elements.substr(2, byte_at(elements, 1));
    if (id == 0x00 && data.size() == 3) {
      part.reference = byte_at(data, 0);
    } else if (id == 0x08 && data.size() == 4) {
      part.reference = byte_at(data, 0) << 8 | byte_at(data, 1);
    }
    if ((id == 0x00 && data.size() == 3) || (id == 0x08 && data.size() == 4)) {
      part.total = byte_at(data, data.size() - 2);
      part.number = byte_at(data, data.size() - 1);
    }
    elements.remove_prefix(2 + data.size());
  }
  return true;
}

std::optional<std::uint32_t> option(const ShortMessage& message, std::uint16_t tag) {
  const auto at = message.options.find(tag);
  if (at == message.options.end()) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : at->second) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

void read_options(const ShortMessage& message, Part& part) {
  const auto total = option(message, sar_total_segments);
  const auto number = option(message, sar_segment_seqnum);
  if (!total || !number) return;
  part.reference = option(message, sar_msg_ref_num).value_or(0);
  part.total = static_cast<std::uint8_t>(*total);
  part.number = static_cast<std::uint8_t>(*number);
}

}  // namespace

std::optional<Part> part_of(const ShortMessage& message) {
  const auto payload = message.options.find(message_payload);
  const bool has_payload = payload != message.options.end();
  if (has_payload && !message.text.empty()) return std::nullopt;
  Part part;
  part.bytes = has_payload ? payload->second : message.text;
  if ((message.esm_class & k_has_header) != 0) {
    if (part.bytes.empty() || part.bytes.size() < 1U + byte_at(part.bytes, 0)) return std::nullopt;
    const std::size_t size = byte_at(part.bytes, 0);
    if (!read_header(std::string_view(part.bytes).substr(1, size), part)) return std::nullopt;
    part.bytes.erase(0, 1 + size);
  } else {
    read_options(message, part);
  }
  const bool sound = part.total >= 1 && part.number >= 1 && part.number <= part.total;
  return sound ? std::optional(std::move(part)) : std::nullopt;
}

std::optional<std::string> decode_text(std::uint8_t data_coding, const std::string& bytes) {
  switch (data_coding) {
    case 0:
      return decode_gsm(bytes);
    case 1:
    case 3:
      return decode_latin1(bytes);
    case 8:
      return decode_utf16be(bytes);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> PartCollector::add(const std::string& sender,
                                              const std::string& recipient, Part part) {
  if (part.total == 1) return std::move(part.bytes);
  const std::string key = sender + '\n' + recipient + '\n' + std::to_string(part.reference) + '/' +
                          std::to_string(part.total);
  auto at = std::find_if(pending_.begin(), pending_.end(),
                         [&](const Pending& one) { return one.key == key; });
  if (at == pending_.end()) {
    if (pending_.size() == k_max_pending) pending_.pop_front();
    pending_.push_back({key, std::vector<std::optional<std::string>>(part.total)});
    at = pending_.end() - 1;
  }
  at->parts[part.number - 1] = std::move(part.bytes);
  std::string whole;
  for (const auto& one : at->parts) {
    if (!one) return std::nullopt;
    whole += *one;
  }
  pending_.erase(at);
  return whole;
}

}  // namespace otpd::sim::smpp
