#include "delivery/tally.h"

namespace otpd::delivery {

void Tally::count(What what, std::string_view lane, std::string_view country) const {
  constexpr const char* names[] = {"accepted", "delivered", "failed", "verified"};
  if (lane.empty()) return;
  metrics_
      .counter("otpd_messages_total",
               "Messages by lane, country and what became of them; verified over accepted is the "
               "conversion.",
               {{"lane", std::string(lane)},
                {"country", std::string(country)},
                {"state", names[static_cast<std::size_t>(what)]}})
      .add();
}

}  // namespace otpd::delivery
