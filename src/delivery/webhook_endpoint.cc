#include "delivery/webhook_endpoint.h"

#include "otp/events.h"
#include "otp/update.h"

namespace otpd::delivery {
namespace {

// A switch has no end; stores want to know one.
constexpr Millis k_endpoint_kept = std::chrono::years(10);

// Writes what `state` has become, if it has changed.
otp::Decision<otp::WebhookEndpointState> endpoint_decision(const otp::WebhookEndpointState& state,
                                                           bool changed, TimePoint now) {
  return {.out = state,
          .changed = changed,
          .erase = !state.disabled && !state.failing,
          .expires_at = now + k_endpoint_kept,
          .effects = {}};
}

}  // namespace

Task<Result<void>> WebhookEndpoint::load() {
  auto loaded = co_await ports_.store.load(key_);
  if (!loaded) co_return std::unexpected(loaded.error());
  otp::WebhookEndpointState state;
  if (loaded->version != 0) {
    auto stored = otp::decode<otp::WebhookEndpointState>(loaded->bytes);
    if (!stored) co_return std::unexpected(stored.error());
    state = *stored;
  }
  remember(state);
  co_return Result<void>{};
}

Task<Result<void>> WebhookEndpoint::disable(std::string reason) {
  co_return co_await switch_to(true, audit::event_type::k_admin_webhook_disabled, {},
                               std::move(reason));
}

Task<Result<void>> WebhookEndpoint::enable(std::string client_ip) {
  co_return co_await switch_to(false, audit::event_type::k_admin_webhook_enabled,
                               std::move(client_ip), {});
}

Task<Result<void>> WebhookEndpoint::set_failing(bool failing) {
  const auto written = co_await otp::update<otp::WebhookEndpointState, otp::WebhookEndpointState>(
      ports_.store, ports_.clock, key_, [&](otp::WebhookEndpointState& state, TimePoint now) {
        const bool changed = state.failing != failing;
        state.failing = failing;
        return endpoint_decision(state, changed, now);
      });
  if (!written) co_return std::unexpected(written.error());
  remember(*written);
  co_return Result<void>{};
}

std::optional<TimePoint> WebhookEndpoint::disabled_since() const {
  const std::int64_t ms = since_ms_.load(std::memory_order_relaxed);
  if (ms == 0) return std::nullopt;
  return TimePoint(Millis(ms));
}

Task<Result<void>> WebhookEndpoint::switch_to(bool disabled, std::string_view type,
                                              std::string client_ip, std::string detail) {
  const otp::EventWriter events(ports_.random, {{}, {}, client_ip, {}, {}, {}});
  const auto written = co_await otp::update<otp::WebhookEndpointState, otp::WebhookEndpointState>(
      ports_.store, ports_.clock, key_, [&](otp::WebhookEndpointState& state, TimePoint now) {
        if (state.disabled == disabled) return endpoint_decision(state, false, now);
        // What it was like before it was switched off says nothing.
        state = {.disabled = disabled, .since = disabled ? now : TimePoint()};
        auto decision = endpoint_decision(state, true, now);
        decision.effects.events.push_back(events.make(type, {}, now, detail));
        return decision;
      });
  if (!written) co_return std::unexpected(written.error());
  remember(*written);
  co_return Result<void>{};
}

void WebhookEndpoint::remember(const otp::WebhookEndpointState& state) {
  since_ms_.store(state.disabled ? state.since.time_since_epoch().count() : 0,
                  std::memory_order_relaxed);
  failing_.store(state.failing, std::memory_order_relaxed);
}

}  // namespace otpd::delivery
