// GenericFace: a carrier of nobody's, for senders that are told how to speak: POST
// /generic/messages with JSON.
#pragma once

#include <string>

#include "http_face.h"

namespace otpd::sim {

struct GenericAccount {
  std::string token;                       // Bearer; empty: anybody may send
  std::string secret = "simulated-token";  // signs the receipts
};

class GenericFace final : public HttpFace {
 public:
  explicit GenericFace(GenericAccount account) : account_(std::move(account)) {}
  Face face() const override { return Face::generic; }
  bool owns(const net::HttpRequest& request) const override {
    return request.path == "/generic/messages";
  }
  // {"to","from","text","callback_url","channel"} is answered 202 {"id","status":"accepted"}.
  // Receipts are {"id","status"} with X-Signature: sha256=HMAC of the body.
  Reply take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const override;
  net::HttpResponse error(const FaultPlan& plan) const override;
  net::HttpResponse throttled(const FaultPlan& plan) const override;

 private:
  GenericAccount account_;
};

}  // namespace otpd::sim
