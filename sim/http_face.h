// HttpFace: the port to one carrier's HTTP interface, free of faults and of the network.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "fault_plan.h"
#include "inbox.h"
#include "net/http_message.h"
#include "receipts.h"

namespace otpd::sim {

struct Reply {
  net::HttpResponse response;
  std::optional<Message> message = {};  // what was accepted
  MakePost receipt = {};                // null: the sender wants none
};

class HttpFace {
 public:
  virtual ~HttpFace() = default;
  virtual Face face() const = 0;
  // Whether the request is for this carrier.
  virtual bool owns(const net::HttpRequest& request) const = 0;
  // The carrier's answer to it. Pure but for the ids that it makes; safe from any thread.
  virtual Reply take(const net::HttpRequest& request, const FaultPlan& plan,
                     TimePoint now) const = 0;
  // How it says that something is broken (with the plan's status and code), and that the sender
  // is too fast.
  virtual net::HttpResponse error(const FaultPlan& plan) const = 0;
  virtual net::HttpResponse throttled(const FaultPlan& plan) const = 0;
};

}  // namespace otpd::sim
