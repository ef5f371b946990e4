// Caps: what everybody together may send, and spend: by application, country, prefix of numbers
// and block of numbers. Pure rules; the counting is in allowance.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otp/allowance.h"
#include "otp/pumping.h"
#include "otp/recipient.h"
#include "otp/store.h"

namespace otpd::otp {

// By the beginning of a number in E.164 ("+44700"); the longest one that fits counts.
template <class T>
using ByPrefix = std::map<std::string, T, std::less<>>;

// Amounts of money are in millionths of the currency.
using Micros = std::uint64_t;
inline constexpr Micros k_micros = 1'000'000;

// "12", "0.0075": at most 12 digits, and 6 after the point; no sign, no exponent, no zeros before.
std::optional<Micros> parse_money(std::string_view text);
// The same text again, as short as it can be.
std::string format_money(Micros amount);

struct CapRules {
  AllowanceCaps application{{Cap{20'000}, Cap{200'000}, Cap{10'000 * k_micros}}};
  AllowanceCaps country{{Cap{10'000}, Cap{100'000}, Cap{5'000 * k_micros}}};  // of each
  std::map<std::string, AllowanceCaps, std::less<>> countries;  // those with their own
  ByPrefix<AllowanceCaps> prefixes;                             // sends by the hour and the day
  ByPrefix<Cap> prefix_budgets;
  std::uint32_t block_digits = 4;  // a block of numbers: those that differ in the last digits only
  Cap block{100};                  // sends to one by the hour
  PumpingRule pumping;
  std::string currency = "USD";
  std::map<std::string, ByPrefix<Micros>, std::less<>> channel_prices;  // those with their own
  ByPrefix<Micros> prices;                                              // of the others
  Micros default_price = 50'000;
};

// What one message to that recipient costs on that channel, by the prices of the channel if one
// fits, else by those of all; an e-mail nothing.
Micros price_of(const CapRules& rules, const Recipient& recipient, std::string_view channel);

// The prefix in the table that fits best, or its end. An empty one fits every number.
template <class T>
auto find_prefix(const ByPrefix<T>& table, std::string_view number) {
  auto found = table.end();
  if (table.empty()) return found;
  for (std::size_t cut = 0; found == table.end() && cut <= number.size(); ++cut) {
    found = table.find(number.substr(0, number.size() - cut));
  }
  return found;
}

// The beginning that all numbers of a phone's block share; empty for an e-mail.
std::string_view block_of(const CapRules& rules, const Recipient& recipient);

// One thing that is counted, and how its refusals are called.
struct CapScope {
  std::string_view limit;  // "application", "country", "prefix" or "block": as answers name it
  std::string_view name;   // which one, within its kind; as long as the rules and the recipient
  AllowanceCaps caps;
};

// What a send to that recipient counts for, the narrowest first.
std::vector<CapScope> scopes_of(const CapRules& rules, const Recipient& recipient);

// Why, for the audit log: "country_day", "budget_prefix".
std::string_view reason_of(const CapScope& scope, Meter meter);

// The record in which a scope is counted, and the list of an application's closed blocks.
Key allowance_key(std::string_view index_key, std::string_view application, const CapScope& scope);
Key block_key(std::string_view index_key, std::string_view application, std::string_view prefix);
Key closed_blocks_key(std::string_view index_key, std::string_view application);

// What is stored of one scope. The guard is a block's.
struct AllowanceState {
  AllowanceLogs logs;
  GuardState guard;
};

std::string encode(const AllowanceState& state);
std::string encode(const ClosedBlocks& state);
template <class State>
Result<State> decode(std::string_view bytes);
template <>
Result<AllowanceState> decode(std::string_view bytes);
template <>
Result<ClosedBlocks> decode(std::string_view bytes);

}  // namespace otpd::otp
