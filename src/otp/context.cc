#include "otp/context.h"

#include <algorithm>

#include "base/visible_text.h"
#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

constexpr std::size_t k_max_integer_digits = 12;
constexpr std::size_t k_max_fraction_digits = 4;
constexpr std::size_t k_max_payee_characters = 64;

bool is_digits(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_amount(std::string_view text) {
  const std::size_t point = text.find('.');
  if (!is_digits(text.substr(0, point), k_max_integer_digits)) return false;
  return point == std::string_view::npos ||
         is_digits(text.substr(point + 1), k_max_fraction_digits);
}

}  // namespace

Result<void> check_context(const Context& context) {
  if (!is_amount(context.amount)) {
    return fail(Failure::invalid, "context.amount must be a decimal number like \"12.50\"");
  }
  if (context.currency.size() != 3 ||
      !std::ranges::all_of(context.currency, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return fail(Failure::invalid, "context.currency must be three capital letters like \"EUR\"");
  }
  // A no-break space would join what a message parts.
  if (!is_visible_line(context.payee, k_max_payee_characters) ||
      context.payee.contains("\xc2\xa0")) {
    return fail(Failure::invalid,
                "context.payee must be 1 to 64 visible characters without control characters");
  }
  return {};
}

std::string context_hash(std::string_view index_key, const Context& context) {
  if (context.empty()) return {};
  return crypto::hmac_sha256_parts(index_key,
                                   {"context", context.amount, context.currency, context.payee});
}

}  // namespace otpd::otp
