#include "delivery/lane_exchange.h"

namespace otpd::delivery {

Task<Result<void>> LaneExchange::exchange() {
  std::vector<LaneNews> mine;
  for (const auto& [_, lane] : lanes_) mine.push_back(lane->news(clock_.now()));
  const auto posted = co_await board_.exchange(std::move(mine));
  const TimePoint now = clock_.now();
  for (const auto& [name, lane] : lanes_) {
    lane->hear(posted ? gather(name, posted->news) : LaneHearsay{}, now);
    if (posted) lane->set_disabled(posted->disabled.contains(name), now);
  }
  if (!posted) co_return std::unexpected(posted.error());
  co_return Result<void>();
}

Task<void> LaneExchange::run() {
  for (;;) {
    co_await exchange();
    co_await sleep_for(k_every);
  }
}

}  // namespace otpd::delivery
