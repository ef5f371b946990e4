// Desk: where an HTTP carrier's requests meet its faults, the inbox and the receipts.
#pragma once

#include "base/clock.h"
#include "base/task.h"
#include "faults.h"
#include "http_face.h"
#include "inbox.h"
#include "receipts.h"

namespace otpd::sim {

class Desk {
 public:
  // All must outlive the desk.
  Desk(Inbox& inbox, FaultBoard& faults, Receipts& receipts, const Clock& clock)
      : inbox_(inbox), faults_(faults), receipts_(receipts), clock_(clock) {}

  // The answer to a request that the face owns. Safe from any loop.
  Task<net::HttpResponse> serve(const HttpFace& face, const net::HttpRequest& request);

 private:
  net::HttpResponse spoil(const HttpFace& face, const Fate& fate);
  net::HttpResponse settle(const HttpFace& face, const Fate& fate, Reply reply);

  Inbox& inbox_;
  FaultBoard& faults_;
  Receipts& receipts_;
  const Clock& clock_;
};

}  // namespace otpd::sim
