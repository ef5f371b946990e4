#include "app/webhooks.h"

#include <set>

#include "base/log.h"
#include "net/client.h"
#include "otp/application_store.h"
#include "otp/keys.h"
#include "providers/webhook_client.h"

namespace otpd::app {
namespace {

constexpr Millis k_look_every{1'000};

otp::Key webhook_record(const WebhooksPorts& ports, const Config& config) {
  return otp::webhook_key(ports.keys.index_key(), config.otp.application, config.webhooks.url);
}

}  // namespace

// One endpoint with all that leads to it.
struct Webhooks::One {
  One(const Config& its_config, const std::string& application, WebhooksPorts ports,
      crypto::WebhookKeys signing)
      : config(its_config.webhooks),
        named_store(ports.store, application),
        client(ports.loop),
        poster(client, ports.clock, config.allow_private),
        endpoint({application.empty() ? ports.store : named_store, ports.clock, ports.random},
                 webhook_record(ports, its_config), config.url),
        sender({poster, endpoint, ports.clock, ports.random, ports.metrics}, std::move(signing),
               {.timeout = config.timeout, .max_in_flight = config.max_in_flight}) {}

  const WebhooksConfig& config;
  otp::ApplicationStore named_store;
  net::Client client;  // its own, so that events take no connection from carriers
  providers::HttpWebhookClient poster;
  delivery::WebhookEndpoint endpoint;
  delivery::WebhookSender sender;
};

Webhooks::Webhooks(WebhooksPorts ports) : ports_(ports) {}
Webhooks::~Webhooks() = default;

Result<std::unique_ptr<Webhooks>> Webhooks::make(const Config& config, WebhooksPorts ports) {
  std::unique_ptr<Webhooks> made(new Webhooks(ports));
  if (const auto added = made->add(config, {}); !added) return std::unexpected(added.error());
  for (const auto& [name, other] : config.applications) {
    const auto added = made->add(*other, name);
    if (added) continue;
    return fail(added.error().kind, "applications." + name + "." + added.error().message);
  }
  if (made->by_application_.empty()) return std::unique_ptr<Webhooks>();
  made->share(config);
  made->connect(config);
  return made;
}

Result<void> Webhooks::add(const Config& config, const std::string& application) {
  if (config.webhooks.url.empty()) return {};
  auto signing = crypto::WebhookKeys::make(config.webhooks.secrets.reveal());
  if (!signing) return fail(Failure::invalid, "webhooks.secrets: " + signing.error().message);
  by_application_.emplace(application,
                          std::make_shared<One>(config, application, ports_, std::move(*signing)));
  return {};
}

void Webhooks::share(const Config& config) {
  const auto base = by_application_.find("");
  if (base == by_application_.end()) return;
  const std::shared_ptr<One> shared = base->second;
  for (const auto& [name, other] : config.applications) {
    if (other->webhooks.shared) by_application_.emplace(name, shared);
  }
}

void Webhooks::connect(const Config& config) {
  delivery::WebhookSubscriptions subscriptions;
  delivery::WebhookSenders::ByApplication senders;
  for (const auto& [name, one] : by_application_) {
    const auto& events = (name.empty() ? config : *config.applications.at(name)).webhooks.events;
    subscriptions.emplace(
        name, delivery::WebhookSubscription{one->endpoint, {events.begin(), events.end()}});
    senders.emplace(name, &one->sender);
  }
  outbox_ = std::make_unique<delivery::WebhookOutbox>(
      delivery::WebhookOutboxPorts{ports_.store, ports_.random, ports_.keys, ports_.metrics},
      std::move(subscriptions));
  senders_ =
      std::make_unique<delivery::WebhookSenders>(ports_.keys, ports_.metrics, std::move(senders));
}

delivery::WebhookEndpoint* Webhooks::endpoint_of(std::string_view application) {
  const auto found = by_application_.find(application);
  return found == by_application_.end() ? nullptr : &found->second->endpoint;
}

Task<void> Webhooks::run() {
  std::set<One*> all;
  for (const auto& [_, one] : by_application_) all.insert(one.get());
  bool known = true;
  for (;;) {
    bool fresh = true;
    for (One* one : all) {
      const auto loaded = co_await one->endpoint.load();
      if (!loaded && known && fresh) {
        log::warn("it is not known whether webhook endpoints are disabled",
                  {{"reason", loaded.error().message}});
      }
      fresh = fresh && loaded;
    }
    known = fresh;
    const auto stats = co_await ports_.queue.stats(ports_.clock.now());
    if (stats) outbox_->set_waiting(stats->waiting);
    co_await sleep_for(k_look_every);
  }
}

}  // namespace otpd::app
