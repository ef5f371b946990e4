#include "delivery/template_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace otpd::delivery {
namespace {

constexpr std::array<std::string_view, k_slots> k_slot_names = {
    "", "code", "link", "brand", "minutes", "amount", "currency", "payee"};

}  // namespace

Result<ParsedTemplate> ParsedTemplate::parse(std::string_view text, std::string_view name) {
  ParsedTemplate out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find_first_of("{}\n", at), text.size());
    if (stop > at) {
      out.lines_.back().push_back({Slot::literal, std::string(text.substr(at, stop - at))});
    }
    at = stop;
    if (at == text.size()) break;
    if (text[at] == '\n') {
      out.lines_.emplace_back();
      ++at;
    } else if (auto added = out.add_placeholder(text, at, name); !added) {
      return std::unexpected(added.error());
    }
  }
  return out;
}

Result<void> ParsedTemplate::add_placeholder(std::string_view text, std::size_t& at,
                                             std::string_view name) {
  const std::size_t end = text.find_first_of("{}\n", at + 1);
  if (text[at] == '}' || end == text.npos || text[end] != '}') {
    return fail(Failure::invalid,
                fmt::format("template {}: stray brace at position {}", name, at + 1));
  }
  const std::string_view word = text.substr(at + 1, end - at - 1);
  const auto slot = std::find(k_slot_names.begin() + 1, k_slot_names.end(), word);
  if (slot == k_slot_names.end()) {
    return fail(
        Failure::invalid,
        fmt::format("template {}: unknown placeholder {{{}}} at position {}", name, word, at + 1));
  }
  const auto index = static_cast<std::size_t>(slot - k_slot_names.begin());
  lines_.back().push_back({static_cast<Slot>(index), {}});
  slots_ |= 1U << index;
  at = end + 1;
  return {};
}

bool ParsedTemplate::left_out(const Line& line, const SlotValues& values) {
  return std::ranges::any_of(line, [&](const Piece& piece) {
    return (piece.slot == Slot::code || piece.slot == Slot::link) && values[piece.slot].empty();
  });
}

// The bytes of the longest text that can come out.
std::size_t ParsedTemplate::bound(const SlotValues& values) const {
  std::size_t size = lines_.size();
  for (const Line& line : lines_) {
    for (const Piece& piece : line) size += piece.literal.size() + values[piece.slot].size();
  }
  return size;
}

Result<Secret> ParsedTemplate::fill(const SlotValues& values, std::string_view last_line) const {
  std::string out;
  out.reserve(bound(values) + last_line.size() + 1);  // growing would leave copies of a code behind
  bool first = true;
  for (const Line& line : lines_) {
    if (left_out(line, values)) continue;
    if (!std::exchange(first, false)) out += '\n';
    for (const Piece& piece : line) {
      if (piece.slot != Slot::literal && values[piece.slot].empty()) {
        wipe(out);
        return fail(
            Failure::invalid,
            fmt::format("no value for {{{}}}", k_slot_names[static_cast<std::size_t>(piece.slot)]));
      }
      out.append(piece.literal).append(values[piece.slot].reveal());
    }
  }
  if (!last_line.empty()) out.append("\n").append(last_line);
  return Secret(std::move(out));
}

}  // namespace otpd::delivery
