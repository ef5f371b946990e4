#include "providers/smpp_receipt.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace otpd::providers {
namespace {

using State = delivery::Receipt::State;

constexpr std::uint8_t k_message_type_mask = 0x3c;
constexpr std::uint8_t k_delivery_receipt = 0x04;
constexpr std::uint8_t k_ucs2_coding = 0x08;

struct SmppState {
  std::string_view name;  // in the text, or how it begins: vendors write DELIVERED, too
  std::uint8_t number;    // in message_state
  State state;
};
constexpr std::array<SmppState, 10> k_states = {{{"DELIV", 2, State::delivered},
                                                 {"EXPIR", 3, State::failed},
                                                 {"DELET", 4, State::failed},
                                                 {"UNDEL", 5, State::failed},
                                                 {"REJEC", 8, State::failed},
                                                 {"SKIPP", 9, State::failed},
                                                 {"ENROU", 1, State::on_its_way},
                                                 {"ACCEP", 6, State::on_its_way},
                                                 {"UNKNO", 7, State::on_its_way},
                                                 {"SCHED", 0, State::on_its_way}}};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

struct ReceiptText {
  std::string as_sent;
  std::string upper;  // the same for who does not mind the case; as long as the other
};

// The text without the quoted message behind it. What is in UCS-2 is made readable as far as it is
// ASCII.
ReceiptText receipt_text(const net::SmppMessage& message) {
  const net::SmppTlv* payload = message.find(net::smpp_tag::k_message_payload);
  const bool in_payload = message.short_message.empty() && payload != nullptr;
  auto bytes = in_payload ? payload->value.reveal() : message.short_message.reveal();
  const bool has_header = (message.esm_class & net::k_smpp_esm_user_data_header) != 0;
  if (has_header && !bytes.empty()) {
    bytes.remove_prefix(
        std::min(bytes.size(), 1 + std::size_t{static_cast<std::uint8_t>(bytes[0])}));
  }
  ReceiptText out;
  if (message.data_coding == k_ucs2_coding) {
    for (std::size_t i = 1; i < bytes.size(); i += 2) {
      out.as_sent += bytes[i - 1] == 0 ? bytes[i] : '?';
    }
  } else {
    out.as_sent = bytes;
  }
  out.upper = upper(out.as_sent);
  if (const std::size_t quote = out.upper.find("TEXT:"); quote != out.upper.npos) {
    out.as_sent.resize(quote);
    out.upper.resize(quote);
  }
  return out;
}

bool is_separator(char c) {
  return c == ' ' || c == ',' || c == ';' || c == '\t' || c == '\r' || c == '\n';
}

// The value of `name` ("ID:"), as it was sent; empty if there is none. Values end at a space or
// comma.
std::string_view find_value(const ReceiptText& text, std::string_view name) {
  const std::string_view upper = text.upper;
  for (std::size_t at = upper.find(name); at != upper.npos; at = upper.find(name, at + 1)) {
    if (at > 0 && !is_separator(upper[at - 1])) continue;
    std::size_t begin = at + name.size();
    while (begin < upper.size() && upper[begin] == ' ') ++begin;
    std::size_t end = begin;
    while (end < upper.size() && !is_separator(upper[end])) ++end;
    const auto value = std::string_view(text.as_sent).substr(begin, end - begin);
    if (!value.empty() && !value.contains(':')) return value;  // else it is the next name
  }
  return {};
}

const SmppState* state_of_tlv(const net::SmppMessage& message) {
  const net::SmppTlv* tlv = message.find(net::smpp_tag::k_message_state);
  if (tlv == nullptr || tlv->value.size() != 1) return nullptr;
  const auto number = static_cast<std::uint8_t>(tlv->value.reveal()[0]);
  const auto found = std::ranges::find(k_states, number, &SmppState::number);
  return found == k_states.end() ? nullptr : &*found;
}

const SmppState* state_of_text(const ReceiptText& text) {
  const std::string word = upper(find_value(text, "STAT:"));
  const auto found =
      std::ranges::find_if(k_states, [&](const SmppState& s) { return word.starts_with(s.name); });
  return found == k_states.end() ? nullptr : &*found;
}

// The network's error code: from its TLV (a type and 16 bits), or the text's.
std::string error_code(const net::SmppMessage& message, const ReceiptText& text) {
  const net::SmppTlv* tlv = message.find(net::smpp_tag::k_network_error_code);
  if (tlv != nullptr && tlv->value.size() == 3) {
    const auto bytes = tlv->value.reveal();
    return std::to_string(static_cast<unsigned char>(bytes[1]) * 256 +
                          static_cast<unsigned char>(bytes[2]));
  }
  const auto code = find_value(text, "ERR:");
  const bool plain = code.size() <= 8 && std::ranges::all_of(code, [](unsigned char c) {
                       return std::isalnum(c) != 0;
                     });
  return plain ? std::string(code) : std::string();
}

std::string failure_reason(const SmppState& state, const std::string& code) {
  static constexpr std::array<std::string_view, 10> k_words = {
      "scheduled",     "enroute",  "delivered", "expired",  "deleted",
      "undeliverable", "accepted", "unknown",   "rejected", "skipped"};
  std::string out(k_words[state.number]);
  return code.empty() ? out : out + " " + code;
}

// The id from its TLV (whose NUL some leave out) or else from the text.
void read_id(const net::SmppMessage& message, const ReceiptText& text, SmppReceipt& out) {
  if (const net::SmppTlv* tlv = message.find(net::smpp_tag::k_receipted_message_id)) {
    const auto bytes = tlv->value.reveal();
    out.message_id = bytes.substr(0, bytes.find('\0'));
  }
  out.id_from_tlv = !out.message_id.empty();
  if (!out.id_from_tlv) out.message_id = find_value(text, "ID:");
}

}  // namespace

std::optional<SmppReceipt> read_smpp_receipt(const net::SmppMessage& message) {
  if ((message.esm_class & k_message_type_mask) != k_delivery_receipt) return std::nullopt;
  const ReceiptText text = receipt_text(message);
  const SmppState* state = state_of_tlv(message);
  if (state == nullptr) state = state_of_text(text);
  SmppReceipt out;
  read_id(message, text, out);
  if (state == nullptr || out.message_id.empty()) return std::nullopt;
  out.state = state->state;
  if (out.state == State::failed) out.reason = failure_reason(*state, error_code(message, text));
  return out;
}

}  // namespace otpd::providers
