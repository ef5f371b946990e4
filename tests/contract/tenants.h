// Two applications over one store, each behind its own routes: the house's, and a shop.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "gateway_flow.h"
#include "otp/application_store.h"
#include "otp/oath.h"

namespace otpd::usecase {

class Tenants : public GatewayFlow {
 protected:
  Tenants() {
    shop_rules_.application = "shop";
    shop_rules_.owns_unnamed = false;
    shop_gateway_.emplace(service(shop()));
    auto both = service(application());
    both.others.emplace("shop", shop());
    gateway_.emplace(std::move(both));
  }

  gateway::Application shop() {
    return {shop_rules_,    shop_issuer_,  shop_verifier_,   shop_verifications_,
            shop_sessions_, shop_factors_, {"sms", "email"}, "DE"};
  }

  Answer at_shop(net::HttpRequest http) {
    auto response = storage::await(shop_gateway_->handle(std::move(http)));
    json body = json::parse(response.body, nullptr, false);
    return {response.status, body.is_discarded() ? json::object() : std::move(body),
            std::move(response)};
  }
  Answer at_shop(const std::string& method, const std::string& target,
                 const std::string& body = {}) {
    return at_shop(request(method, target, body));
  }
  Answer send_at_shop(const json& body = {{"phone", k_phone}}) {
    return at_shop("POST", "/otp/send", body.dump());
  }
  Answer verify_at_shop(std::string_view code) {
    return at_shop("POST", "/otp/verify", json{{"phone", k_phone}, {"code", code}}.dump());
  }
  Answer send_json(const json& body) { return send(body.dump()); }

  // As an authenticator app makes it.
  std::string totp(const std::string& secret) {
    const auto bytes = base32_decode(secret).value();
    return std::string(
        otp::oath_code({}, bytes, otp::time_step({}, house_.world.clock.now())).reveal());
  }

  otp::Rules shop_rules_ = make_test_rules();
  otp::ApplicationStore shop_store_{house_.store, "shop"};
  otp::Services shop_services_{shop_store_, house_.world.clock, house_.random, house_.keys,
                               house_.hashes};
  otp::Sessions shop_sessions_{shop_services_, shop_rules_};
  otp::Factors shop_factors_{shop_services_, shop_rules_};
  otp::Issuer shop_issuer_{shop_services_, shop_rules_, house_.roads};
  otp::Verifier shop_verifier_{shop_services_, shop_rules_, shop_sessions_};
  otp::Verifications shop_verifications_{shop_services_, shop_rules_};
  std::optional<gateway::Gateway> shop_gateway_;
};

}  // namespace otpd::usecase
