// WhatsappFace: Meta's WhatsApp Cloud API, POST /v{NN.N}/{phone_number_id}/messages.
#pragma once

#include <string>

#include "http_face.h"

namespace otpd::sim {

struct WhatsappAccount {
  std::string token = "simulated-token";       // Bearer
  std::string app_secret = "simulated-token";  // signs the receipts
  std::string callback_url;                    // where they go; empty: nowhere
};

class WhatsappFace final : public HttpFace {
 public:
  explicit WhatsappFace(WhatsappAccount account) : account_(std::move(account)) {}
  Face face() const override { return Face::whatsapp; }
  bool owns(const net::HttpRequest& request) const override;
  // Takes messages of type template and text. The inbox shows a template's name and language, and
  // its parameters, a component a line.
  Reply take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const override;
  net::HttpResponse error(const FaultPlan& plan) const override;
  net::HttpResponse throttled(const FaultPlan& plan) const override;

 private:
  MakePost receipt(const std::string& phone_id, const std::string& to, const std::string& id,
                   TimePoint now) const;

  WhatsappAccount account_;
};

}  // namespace otpd::sim
