#include "app/applications.h"

#include <algorithm>

#include "app/assemble.h"
#include "app/make_lanes.h"
#include "otp/application_store.h"

namespace otpd::app {

struct Applications::One {
  One(const Config& its_config, otp::Rules its_rules, delivery::Templates texts,
      otp::Services services, const delivery::Lanes& lanes,
      std::unique_ptr<otp::CaptchaJudge> its_judge)
      : config(its_config),
        rules(std::move(its_rules)),
        named_store(services.store, rules.application),
        own_services{rules.owns_unnamed ? services.store : named_store, services.clock,
                     services.random, services.keys, services.hashes},
        templates(std::move(texts)),
        routes(make_routes(config)),
        dispatcher(lanes, routes, services.clock, services.random),
        judge(std::move(its_judge)),
        issuer(own_services, rules, dispatcher, judge.get()),
        sessions(own_services, rules),
        factors(own_services, rules),
        verifier(own_services, rules, sessions),
        verifications(own_services, rules) {}

  const Config& config;
  const otp::Rules rules;
  otp::ApplicationStore named_store;
  const otp::Services own_services;
  const delivery::Templates templates;
  const delivery::RouteTable routes;
  delivery::Dispatcher dispatcher;
  const std::unique_ptr<otp::CaptchaJudge> judge;
  otp::Issuer issuer;
  otp::Sessions sessions;
  otp::Factors factors;
  otp::Verifier verifier;
  otp::Verifications verifications;
};

Applications::Applications(std::string base) : base_(std::move(base)) {}
Applications::~Applications() = default;

Result<std::unique_ptr<Applications>> Applications::make(const Config& config,
                                                         otp::Services services,
                                                         const delivery::Lanes& lanes,
                                                         const MakeJudge& make_judge) {
  std::unique_ptr<Applications> made(new Applications(config.otp.application));
  if (const auto added = made->add(config, services, lanes, make_judge); !added) {
    return std::unexpected(added.error());
  }
  for (const auto& [name, other] : config.applications) {
    if (const auto added = made->add(*other, services, lanes, make_judge); !added) {
      return fail(added.error().kind, "applications." + name + ": " + added.error().message);
    }
  }
  return made;
}

Result<void> Applications::add(const Config& config, otp::Services services,
                               const delivery::Lanes& lanes, const MakeJudge& make_judge) {
  auto templates = make_templates(config.messages);
  if (!templates) return std::unexpected(templates.error());
  const std::string& name = config.otp.application;
  otp::Rules rules = make_rules(config);
  rules.owns_unnamed = name == base_;
  all_.emplace(name, std::make_unique<One>(config, std::move(rules), std::move(*templates),
                                           services, lanes, make_judge(config.friction)));
  return {};
}

std::set<std::string, std::less<>> Applications::providers() const {
  std::set<std::string, std::less<>> names;
  for (const auto& [_, one] : all_) names.merge(one->routes.lanes());
  return names;
}

std::map<std::string, Millis, std::less<>> Applications::lifetimes() const {
  std::map<std::string, Millis, std::less<>> longest;
  for (const auto& [_, one] : all_) {
    for (const auto& [purpose, policy] : one->rules.policies) {
      Millis& lifetime = longest[purpose];
      lifetime = std::max<Millis>(lifetime, policy.lifetime);
    }
  }
  return longest;
}

delivery::Outlets Applications::outlets() const {
  delivery::Outlets outlets;
  for (const auto& [name, one] : all_) {
    outlets.emplace(name,
                    make_outlet(one->config, one->templates, one->dispatcher, one->issuer.caps()));
  }
  return outlets;
}

gateway::Application Applications::served(One& one) {
  return {one.rules,    one.issuer,  one.verifier,          one.verifications,
          one.sessions, one.factors, one.routes.channels(), one.config.otp.default_region};
}

gateway::Application Applications::base() {
  return served(*all_.at(base_));
}

std::map<std::string, gateway::Application, std::less<>> Applications::others() {
  std::map<std::string, gateway::Application, std::less<>> others;
  for (const auto& [name, one] : all_) {
    if (name != base_) others.emplace(name, served(*one));
  }
  return others;
}

}  // namespace otpd::app
