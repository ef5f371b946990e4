// TwilioFace: Twilio's API, the parts that send: text messages and calls.
#pragma once

#include <string>

#include "http_face.h"
#include "text_codec.h"

namespace otpd::sim {

struct TwilioAccount {
  std::string sid = "AC00000000000000000000000000000000";
  std::string auth_token = "simulated-token";
};

// What both parts share: the account, the words of an error, the form of a receipt.
class TwilioFace : public HttpFace {
 public:
  net::HttpResponse error(const FaultPlan& plan) const override;
  net::HttpResponse throttled(const FaultPlan& plan) const override;
  Reply take(const net::HttpRequest& request, const FaultPlan& plan, TimePoint now) const override;

 protected:
  explicit TwilioFace(TwilioAccount account) : account_(std::move(account)) {}

  // "Messages" or "Calls".
  virtual std::string_view resource() const = 0;
  // The answer to a request of the right account whose To is good.
  virtual Reply accept(const Form& form, TimePoint now) const = 0;

  // Members that every resource has.
  std::string path_of(std::string_view sid) const;
  // Posts `prefix`Sid and `prefix`Status with the state's word to the form's StatusCallback.
  MakePost receipt(const Form& form, std::string sid, std::string prefix,
                   std::array<std::string_view, 3> words, std::string error_code) const;

  TwilioAccount account_;
};

// POST /2010-04-01/Accounts/{sid}/Messages.json, with Twilio's own magic numbers (+15005550001
// and its siblings); and every other path of that API, as not found.
class TwilioMessages final : public TwilioFace {
 public:
  explicit TwilioMessages(TwilioAccount account) : TwilioFace(std::move(account)) {}
  Face face() const override { return Face::twilio; }
  bool owns(const net::HttpRequest& request) const override;

 private:
  std::string_view resource() const override { return "Messages"; }
  Reply accept(const Form& form, TimePoint now) const override;
};

// POST /2010-04-01/Accounts/{sid}/Calls.json with Twiml: the inbox shows what would be said.
class TwilioVoice final : public TwilioFace {
 public:
  explicit TwilioVoice(TwilioAccount account) : TwilioFace(std::move(account)) {}
  Face face() const override { return Face::twilio_voice; }
  bool owns(const net::HttpRequest& request) const override;

 private:
  std::string_view resource() const override { return "Calls"; }
  Reply accept(const Form& form, TimePoint now) const override;
};

// The words of every <Say> in a TwiML document, one a line.
std::string said_by(std::string_view twiml);

}  // namespace otpd::sim
