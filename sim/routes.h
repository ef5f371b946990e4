// Routes: the HTTP side of sms-sim: carriers' interfaces, the control interface and the page.
#pragma once

#include <array>
#include <memory>

#include "base/clock.h"
#include "base/task.h"
#include "control.h"
#include "desk.h"
#include "generic_face.h"
#include "net/http_server.h"
#include "sns_face.h"
#include "twilio_face.h"
#include "vonage_face.h"
#include "whatsapp_face.h"

namespace otpd::sim {

// Who may send, and with what receipts are signed.
struct Accounts {
  TwilioAccount twilio;
  VonageAccount vonage;
  WhatsappAccount whatsapp;
  GenericAccount generic;
};

class Routes {
 public:
  // All but the accounts must outlive the routes.
  Routes(const Accounts& accounts, Inbox& inbox, FaultBoard& faults, Receipts& receipts,
         const Clock& clock);

  // Answers one request. Safe from any loop.
  Task<net::HttpResponse> handle(net::HttpRequest request);

  // What the HTTP server answers to broken requests.
  static net::HttpResponse error_page(int status, std::string_view reason,
                                      const net::RequestGist& request);

 private:
  TwilioMessages twilio_;
  TwilioVoice twilio_voice_;
  VonageFace vonage_;
  SnsFace sns_;
  WhatsappFace whatsapp_;
  GenericFace generic_;
  std::array<const HttpFace*, 6> faces_{&twilio_, &twilio_voice_, &vonage_,
                                        &sns_,    &whatsapp_,     &generic_};
  Desk desk_;
  Control control_;
};

}  // namespace otpd::sim
