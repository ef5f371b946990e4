// LaneBoard: the lanes as operators see and switch them, from any thread.
#pragma once

#include <string>
#include <vector>

#include "base/task.h"
#include "delivery/dispatcher.h"

namespace otpd::delivery {

class LaneBoard {
 public:
  // All outlive the board; `lanes` belong to `loop`. `shared` is where other processes read an
  // operator's switches; null: there are none.
  LaneBoard(boost::asio::io_context& loop, const Lanes& lanes, const Clock& clock,
            HealthBoard* shared = nullptr)
      : loop_(loop), lanes_(lanes), clock_(clock), shared_(shared) {}

  // All lanes, by name. Failure::timeout if the loop is too busy to answer.
  Task<Result<std::vector<LaneReport>>> report();

  // Switches one lane, in every process; false if there is none of that name.
  Task<Result<bool>> set_disabled(std::string name, bool disabled);

 private:
  boost::asio::io_context& loop_;
  const Lanes& lanes_;
  const Clock& clock_;
  HealthBoard* shared_;
};

}  // namespace otpd::delivery
