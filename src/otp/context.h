// Context: what a transaction code confirms, and is bound to (dynamic linking).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace otpd::otp {

struct Context {
  std::string amount;    // decimal, e.g. "12.50"
  std::string currency;  // ISO 4217, e.g. "EUR"
  std::string payee;     // shown to the user; 1 to 64 characters on one line
  bool empty() const { return amount.empty() && currency.empty() && payee.empty(); }
};

// Failure::invalid naming the member that cannot be shown or is missing.
Result<void> check_context(const Context& context);

// What is stored of it: a keyed hash over all members; empty for an empty context.
std::string context_hash(std::string_view index_key, const Context& context);

}  // namespace otpd::otp
