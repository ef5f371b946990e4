// Routes: the HTTP face of sms-sim: carriers' APIs, the inbox, the faults and the page.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/task.h"
#include "faults.h"
#include "inbox.h"
#include "net/http_server.h"
#include "twilio_face.h"

namespace otpd::sim {

class Routes {
 public:
  // All must outlive the routes.
  Routes(TwilioAccount account, Inbox& inbox, Faults& faults, const Clock& clock);

  // Answers one request. Safe from any loop.
  Task<net::HttpResponse> handle(net::HttpRequest request);

  // What the HTTP server answers to broken requests.
  static net::HttpResponse error_page(int status, std::string_view reason);

 private:
  net::HttpResponse answer(const net::HttpRequest& request);
  net::HttpResponse inbox(const net::HttpRequest& request);
  net::HttpResponse faults(const net::HttpRequest& request);
  net::HttpResponse stats() const;

  TwilioFace twilio_;
  Inbox& inbox_;
  Faults& faults_;
};

}  // namespace otpd::sim
