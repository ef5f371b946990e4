// Applications: the parts that each application has of its own, put together. Stores, keys, lanes
// and hashes are shared by all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "app/config.h"
#include "delivery/courier.h"
#include "gateway/service.h"

namespace otpd::app {

// Who judges an application's captchas; null if that is nobody but otpd.
using MakeJudge = std::function<std::unique_ptr<otp::CaptchaJudge>(const FrictionConfig&)>;

class Applications {
 public:
  ~Applications();
  Applications(const Applications&) = delete;
  Applications& operator=(const Applications&) = delete;

  // The configuration's own application and all others. What `services` refers to, `lanes` and
  // `config` outlive them; the lanes may be made later. Failure::invalid naming the template that
  // cannot be used.
  static Result<std::unique_ptr<Applications>> make(const Config& config, otp::Services services,
                                                    const delivery::Lanes& lanes,
                                                    const MakeJudge& make_judge);

  // The providers that any of them has a route to.
  std::set<std::string, std::less<>> providers() const;
  // How long a code of a purpose lives at the most.
  std::map<std::string, Millis, std::less<>> lifetimes() const;

  // For the courier.
  delivery::Outlets outlets() const;

  // For the gateway.
  gateway::Application base();
  std::map<std::string, gateway::Application, std::less<>> others();

 private:
  struct One;
  explicit Applications(std::string base);
  Result<void> add(const Config& config, otp::Services services, const delivery::Lanes& lanes,
                   const MakeJudge& make_judge);
  static gateway::Application served(One& one);

  const std::string base_;  // its name
  std::map<std::string, std::unique_ptr<One>, std::less<>> all_;
};

}  // namespace otpd::app
