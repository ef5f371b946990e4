// Dispatcher: brings one message to a carrier: the first lane of its route that takes it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "delivery/lane.h"
#include "delivery/route.h"
#include "otp/deliverability.h"

namespace otpd::delivery {

// A lane that was asked and did not take the message, or could not be asked.
struct FailedTry {
  std::string lane;
  std::string reason;
};

struct Dispatch {
  Outcome outcome;                // of the lane that took it, or of the last one asked
  std::string lane;               // that lane; empty if none was asked (misconfigured: no route)
  std::vector<FailedTry> failed;  // in the order of time
  Millis wait{0};                 // when none was asked: not before
};

using Lanes = std::map<std::string, std::unique_ptr<Lane>, std::less<>>;

// For one loop, except where said otherwise.
class Dispatcher final : public otp::Deliverability {
 public:
  // All outlive the dispatcher; `routes` names lanes of `lanes` only.
  Dispatcher(const Lanes& lanes, const RouteTable& routes, const Clock& clock, Random& random)
      : lanes_(lanes), routes_(routes), clock_(clock), random_(random) {}

  // Asks the lanes of the route one after the other until one accepts or the recipient is
  // rejected; a lane that is slower than it has been lately is not waited for alone: the next is
  // asked beside it, and the first yes counts. `left` is how long the code lives.
  Task<Dispatch> dispatch(std::shared_ptr<const Message> message, Millis left);

  // Tries that have not ended; those of a race that is over count, too.
  std::size_t on_their_way() const { return on_their_way_; }

  // Whether the lane's carrier names messages in its receipts by its own id alone.
  bool receipts_by_message_id(std::string_view lane) const {
    return lanes_.find(lane)->second->provider().receipts_by_message_id();
  }

  // Safe from any thread.
  std::optional<Millis> unavailable_for(std::string_view channel,
                                        std::string_view address) const override;

 private:
  struct Race;
  using Order = std::vector<std::string_view>;
  Lane* choose(const Order& order, const Race& race) const;
  Millis shortest_wait(const Order& order) const;
  void start(const std::shared_ptr<Race>& race, Lane& lane);
  Task<void> run(std::shared_ptr<Race> race, Lane& lane);
  void note_skipped(const Order& order, Race& race) const;

  const Lanes& lanes_;
  const RouteTable& routes_;
  const Clock& clock_;
  Random& random_;
  std::size_t on_their_way_ = 0;
};

}  // namespace otpd::delivery
