// LaneExchange: carries what this process knows about its lanes to the others, and back.
#pragma once

#include "delivery/dispatcher.h"
#include "delivery/lane_news.h"

namespace otpd::delivery {

// For the lanes' loop.
class LaneExchange {
 public:
  static constexpr Millis k_every{250};

  // All outlive the exchange.
  LaneExchange(HealthBoard& board, const Lanes& lanes, const Clock& clock)
      : board_(board), lanes_(lanes), clock_(clock) {}

  // Tells and hears once. While the board cannot be asked, what was heard last is forgotten, and
  // every process judges for itself.
  Task<Result<void>> exchange();

  // Exchanges every k_every, without end.
  Task<void> run();

 private:
  HealthBoard& board_;
  const Lanes& lanes_;
  const Clock& clock_;
};

}  // namespace otpd::delivery
