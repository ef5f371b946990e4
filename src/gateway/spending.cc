#include "gateway/spending.h"

namespace otpd::gateway {

void count_spent(const Service& service, const Application& app, const std::string& country,
                 const otp::SendOutcome& outcome) {
  const auto* sent = std::get_if<otp::Sent>(&outcome);
  if (sent == nullptr || sent->price == 0) return;
  service.metrics
      .counter("otpd_spent_total", "What was sent costs, by the price list, in the currency.",
               {{"application", app.rules.application}, {"country", country}})
      .add(static_cast<double>(sent->price) / static_cast<double>(otp::k_micros));
}

}  // namespace otpd::gateway
