// SnsFace: Amazon SNS, Action=Publish to a phone number, in the Query protocol.
#pragma once

#include "http_face.h"

namespace otpd::sim {

// Checks that a Signature Version 4 for the service `sns` is there and well-formed; whose key made
// it, it does not know. Amazon posts no receipts.
class SnsFace final : public HttpFace {
 public:
  Face face() const override { return Face::sns; }
  // POST /sns and /sns/, and POST / if the body names an Action.
  bool owns(const net::HttpRequest& request) const override;
  Reply take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const override;
  net::HttpResponse error(const FaultPlan& plan) const override;
  net::HttpResponse throttled(const FaultPlan& plan) const override;
};

}  // namespace otpd::sim
