// Recipients: what is taken has one normal form, which is taken for itself.
#include "fuzz.h"
#include "otp/recipient.h"

namespace {

using namespace otpd;

void check_phone(std::string_view text) {
  const auto phone = otp::parse_phone(text, "");
  if (!phone) return;
  const std::string_view address = phone->address.reveal();
  fuzz::require(address.starts_with('+') && address.size() <= 16 &&
                    address.find_first_not_of("0123456789", 1) == std::string_view::npos,
                "a phone is E.164");
  const auto again = otp::parse_phone(address, "");
  fuzz::require(again && again->identity.reveal() == phone->identity.reveal(),
                "the normal form is the same recipient");
}

void check_email(std::string_view text) {
  const auto email = otp::parse_email(text);
  if (!email) return;
  const std::string_view address = email->address.reveal();
  fuzz::require(address.size() <= 254, "an address is no longer than SMTP takes");
  for (const char c : address) fuzz::require(c > ' ' && c < 0x7f, "an address is visible ASCII");
  const auto again = otp::parse_email(address);
  fuzz::require(again && again->identity.reveal() == email->identity.reveal(),
                "the address is the same recipient");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_phone(text);
  check_email(text);
  return 0;
}
