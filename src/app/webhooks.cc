#include "app/webhooks.h"

#include "base/log.h"
#include "otp/keys.h"

namespace otpd::app {
namespace {

constexpr Millis k_look_every{1'000};

}  // namespace

Webhooks::Webhooks(const Config& config, WebhooksPorts ports, crypto::WebhookKeys signing)
    : ports_(ports),
      client_(ports.loop),
      poster_(client_, ports.clock, config.webhooks.allow_private),
      endpoint_(
          {ports.store, ports.clock, ports.random},
          otp::webhook_key(ports.keys.index_key(), config.otp.application, config.webhooks.url),
          config.webhooks.url),
      outbox_({ports.store, ports.random, ports.keys, endpoint_, ports.metrics},
              {.types = {config.webhooks.events.begin(), config.webhooks.events.end()}}),
      sender_(
          {poster_, endpoint_, ports.clock, ports.random, ports.keys, ports.metrics},
          std::move(signing),
          {.timeout = config.webhooks.timeout, .max_in_flight = config.webhooks.max_in_flight}) {}

Result<std::unique_ptr<Webhooks>> Webhooks::make(const Config& config, WebhooksPorts ports) {
  auto signing = crypto::WebhookKeys::make(config.webhooks.secrets.reveal());
  if (!signing) return fail(Failure::invalid, "webhooks.secrets: " + signing.error().message);
  return std::unique_ptr<Webhooks>(new Webhooks(config, ports, std::move(*signing)));
}

Task<void> Webhooks::run() {
  bool known = true;
  for (;;) {
    const auto loaded = co_await endpoint_.load();
    if (!loaded && known) {
      log::warn("it is not known whether the webhook endpoint is disabled",
                {{"reason", loaded.error().message}});
    }
    known = loaded.has_value();
    const auto stats = co_await ports_.queue.stats(ports_.clock.now());
    if (stats) outbox_.set_waiting(stats->waiting);
    co_await sleep_for(k_look_every);
  }
}

}  // namespace otpd::app
