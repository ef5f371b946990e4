// VonageFace: Vonage's SMS API, POST /sms/json. Its HTTP status is always 200; messages[].status
// says what happened.
#pragma once

#include <string>

#include "http_face.h"

namespace otpd::sim {

struct VonageAccount {
  std::string key = "simulated";
  std::string secret = "simulated-token";
  std::string signature_secret = "simulated-token";  // of receipts; empty: they are not signed
};

class VonageFace final : public HttpFace {
 public:
  explicit VonageFace(VonageAccount account) : account_(std::move(account)) {}
  Face face() const override { return Face::vonage; }
  bool owns(const net::HttpRequest& request) const override { return request.path == "/sms/json"; }
  // Takes a form or JSON, with the account in the members or in Basic auth. Receipts go to the
  // request's `callback` as POST JSON, with `sig` by the method sha256.
  Reply take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const override;
  // With a status in the plan, an HTTP error of that status instead of a message's.
  net::HttpResponse error(const FaultPlan& plan) const override;
  net::HttpResponse throttled(const FaultPlan& plan) const override;

 private:
  VonageAccount account_;
};

}  // namespace otpd::sim
