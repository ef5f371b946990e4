// One template: text with placeholders, parsed once and filled many times.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace otpd::delivery {

enum class Slot : std::uint8_t { literal, code, link, brand, minutes, amount, currency, payee };
inline constexpr std::size_t k_slots = 8;

// A value for each slot; that of `literal` stays empty.
struct SlotValues {
  const Secret& operator[](Slot slot) const { return values[static_cast<std::size_t>(slot)]; }
  void set(Slot slot, std::string&& value) {
    values[static_cast<std::size_t>(slot)] = Secret(std::move(value));
  }
  std::array<Secret, k_slots> values;
};

class ParsedTemplate {
 public:
  // `name` names the template in errors. Failure::invalid with the position (in bytes, from 1) of
  // an unknown placeholder or a stray brace.
  static Result<ParsedTemplate> parse(std::string_view text, std::string_view name);

  bool has(Slot slot) const { return (slots_ >> static_cast<unsigned>(slot) & 1) != 0; }
  bool empty() const { return lines_.size() == 1 && lines_.front().empty(); }
  std::size_t lines() const { return lines_.size(); }

  // The text with its values, followed by `last_line` unless that is empty. Lines whose code or
  // link is missing are left out. Failure::invalid if another value is missing.
  Result<Secret> fill(const SlotValues& values, std::string_view last_line = {}) const;

 private:
  struct Piece {
    Slot slot = Slot::literal;
    std::string literal;
  };
  using Line = std::vector<Piece>;

  Result<void> add_placeholder(std::string_view text, std::size_t& at, std::string_view name);
  static bool left_out(const Line& line, const SlotValues& values);
  std::size_t bound(const SlotValues& values) const;

  std::vector<Line> lines_ = {{}};
  std::uint32_t slots_ = 0;  // a bit for each slot that occurs
};

}  // namespace otpd::delivery
