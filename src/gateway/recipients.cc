#include "gateway/recipients.h"

namespace otpd::gateway {
namespace {

constexpr std::size_t k_max_phone = 64;
constexpr std::size_t k_max_email = 254;

}  // namespace

std::optional<otp::Recipient> find_recipient(Members& members, const Application& app) {
  const auto phone = members.text("phone", k_max_phone);
  const auto email = members.text("email", k_max_email);
  if (members.refused() || (!phone && !email)) return std::nullopt;
  if (phone && email) {
    members.refuse(ProblemName::invalid_request, "email", "Give either \"phone\" or \"email\".");
    return std::nullopt;
  }
  auto recipient = phone ? otp::parse_phone(*phone, app.default_region) : otp::parse_email(*email);
  if (recipient) return std::move(*recipient);
  members.refuse(phone ? ProblemName::invalid_phone : ProblemName::invalid_email,
                 phone ? "phone" : "email", recipient.error().message);
  return std::nullopt;
}

}  // namespace otpd::gateway
