// TwilioFace: Twilio's Messages API, the part that sends.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/task.h"
#include "faults.h"
#include "inbox.h"
#include "net/http_message.h"

namespace otpd::sim {

struct TwilioAccount {
  std::string sid = "AC00000000000000000000000000000000";
  std::string auth_token = "simulated-token";
};

class TwilioFace {
 public:
  // All must outlive the face.
  TwilioFace(TwilioAccount account, Inbox& inbox, Faults& faults, const Clock& clock);

  // Whether the path is Twilio's.
  static bool owns(std::string_view path) { return path.starts_with("/2010-04-01/"); }

  // POST /2010-04-01/Accounts/{sid}/Messages.json as Twilio answers it, with the faults of the
  // plan and Twilio's own magic numbers (+15005550001 and its siblings).
  Task<net::HttpResponse> handle(const net::HttpRequest& request);

 private:
  bool authorized(const net::HttpRequest& request) const;
  net::HttpResponse send(const net::HttpRequest& request);

  TwilioAccount account_;
  Inbox& inbox_;
  Faults& faults_;
  const Clock& clock_;
};

}  // namespace otpd::sim
