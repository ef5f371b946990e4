#include "providers/smpp_ids.h"

#include <algorithm>
#include <charconv>

namespace otpd::providers {
namespace {

constexpr std::size_t k_max_id_bytes = 64;
constexpr std::size_t k_max_hex_digits = 16;

bool is_decimal_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_letter(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= k_max_id_bytes &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}
bool is_decimal(std::string_view id) {
  return std::ranges::all_of(id, is_decimal_digit);
}
bool is_hex_number(std::string_view id) {
  return id.size() <= k_max_hex_digits &&
         std::ranges::all_of(id, [](char c) { return is_decimal_digit(c) || is_hex_letter(c); });
}

std::string without_zeros(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return std::string(first == digits.npos ? "0" : digits.substr(first));
}

std::string hex_to_decimal(std::string_view id) {
  std::uint64_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number, 16);
  return std::to_string(number);
}

// Of an id that is no number.
std::string as_text(std::string_view id) {
  std::string out(id);
  const bool hex_and_dashes = std::ranges::all_of(
      id, [](char c) { return is_decimal_digit(c) || is_hex_letter(c) || c == '-'; });
  if (!hex_and_dashes) return out;
  std::ranges::transform(out, out.begin(),
                         [](char c) { return static_cast<char>(is_hex_letter(c) ? c | 0x20 : c); });
  return out;
}

}  // namespace

std::string SmppIds::of_answer(std::string_view id) {
  if (!is_id(id)) return {};
  const bool decimal = is_decimal(id);
  const bool hex = mode_ != SmppHexIds::off && is_hex_number(id) &&
                   (!decimal || mode_ == SmppHexIds::on || learned_hex_);
  if (!hex) return decimal ? without_zeros(id) : as_text(id);
  std::string number = hex_to_decimal(id);
  if (mode_ == SmppHexIds::automatic && !decimal) {
    recent_[next_recent_] = number;
    next_recent_ = (next_recent_ + 1) % recent_.size();
  }
  return number;
}

std::string SmppIds::of_receipt(std::string_view id) {
  if (!is_id(id)) return {};
  if (!is_decimal(id)) {
    return mode_ != SmppHexIds::off && is_hex_number(id) ? hex_to_decimal(id) : as_text(id);
  }
  std::string number = without_zeros(id);
  if (mode_ == SmppHexIds::automatic && std::ranges::find(recent_, number) != recent_.end()) {
    learned_hex_ = true;
  }
  return number;
}

}  // namespace otpd::providers
