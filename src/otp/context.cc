#include "otp/context.h"

#include <algorithm>

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

// No control characters, no bidirectional or zero-width tricks that would show another payee, and
// no blanks around it.
bool is_shown_as_written(std::string_view text) {
  if (text.starts_with(' ') || text.ends_with(' ')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7f) return false;
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\xc2") && rest.size() > 1 &&
        static_cast<unsigned char>(rest[1]) <= 0xa0) {
      return false;  // C1 controls, no-break space
    }
    // Soft hyphen, Arabic letter mark, combining grapheme joiner, Mongolian vowel separator
    if (rest.starts_with("\xc2\xad") || rest.starts_with("\xd8\x9c") ||
        rest.starts_with("\xcd\x8f") || rest.starts_with("\xe1\xa0\x8e")) {
      return false;
    }
    if (rest.starts_with("\xf3\xa0")) return false;  // U+E0000..U+E0FFF: tags, selectors
    // U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF
    if (rest.starts_with("\xe2\x80") && rest.size() > 2) {
      const auto last = static_cast<unsigned char>(rest[2]);
      if ((last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae)) return false;
    }
    if (rest.starts_with("\xe2\x81") && rest.size() > 2 &&
        static_cast<unsigned char>(rest[2]) >= 0xa0 &&
        static_cast<unsigned char>(rest[2]) <= 0xaf) {
      return false;
    }
    if (rest.starts_with("\xef\xbb\xbf")) return false;
  }
  return true;
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
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
  if (context.payee.empty() || characters(context.payee) > k_max_payee_characters ||
      !is_shown_as_written(context.payee)) {
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
