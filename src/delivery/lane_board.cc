#include "delivery/lane_board.h"

namespace otpd::delivery {
namespace {

constexpr Millis k_board_deadline{2'000};

}  // namespace

Task<Result<std::vector<LaneReport>>> LaneBoard::report() {
  using Reports = std::vector<LaneReport>;
  co_return co_await await_callback<Reports>(
      k_board_deadline, [this](Callback<Result<Reports>> done) {
        boost::asio::post(loop_, [this, done = std::move(done)]() mutable {
          Reports reports;
          for (const auto& [name, lane] : lanes_) reports.push_back(lane->report(clock_.now()));
          done(std::move(reports));
        });
      });
}

Task<Result<bool>> LaneBoard::set_disabled(std::string name, bool disabled) {
  if (shared_ != nullptr && lanes_.contains(name)) {
    const auto told = co_await shared_->set_disabled(name, disabled);
    if (!told) co_return std::unexpected(told.error());
  }
  co_return co_await await_callback<bool>(
      k_board_deadline, [this, &name, disabled](Callback<Result<bool>> done) {
        boost::asio::post(loop_, [this, name, disabled, done = std::move(done)]() mutable {
          const auto found = lanes_.find(name);
          if (found != lanes_.end()) found->second->set_disabled(disabled, clock_.now());
          done(found != lanes_.end());
        });
      });
}

}  // namespace otpd::delivery
