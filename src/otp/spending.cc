#include "otp/spending.h"

namespace otpd::otp {

void count_spent(Metrics& metrics, const std::string& application, const std::string& country,
                 Micros price) {
  if (price == 0) return;
  metrics
      .counter("otpd_spent_total", "What was sent costs, by the price list, in the currency.",
               {{"application", application}, {"country", country}})
      .add(static_cast<double>(price) / static_cast<double>(k_micros));
}

}  // namespace otpd::otp
