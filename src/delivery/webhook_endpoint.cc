#include "delivery/webhook_endpoint.h"

#include "otp/events.h"
#include "otp/update.h"

namespace otpd::delivery {
namespace {

// A switch has no end; stores want to know one.
constexpr Millis k_endpoint_kept = std::chrono::years(10);

}  // namespace

Task<Result<void>> WebhookEndpoint::load() {
  auto loaded = co_await ports_.store.load(key_);
  if (!loaded) co_return std::unexpected(loaded.error());
  if (loaded->version == 0) co_return Result<void>{};
  auto state = otp::decode<otp::WebhookEndpointState>(loaded->bytes);
  if (!state) co_return std::unexpected(state.error());
  remember(*state);
  co_return Result<void>{};
}

Task<Result<void>> WebhookEndpoint::disable(std::string reason) {
  co_return co_await write({true, ports_.clock.now()}, audit::event_type::k_admin_webhook_disabled,
                           {}, std::move(reason));
}

Task<Result<void>> WebhookEndpoint::enable(std::string client_ip) {
  co_return co_await write({}, audit::event_type::k_admin_webhook_enabled, std::move(client_ip),
                           {});
}

std::optional<TimePoint> WebhookEndpoint::disabled_since() const {
  const std::int64_t ms = since_ms_.load(std::memory_order_relaxed);
  if (ms == 0) return std::nullopt;
  return TimePoint(Millis(ms));
}

Task<Result<void>> WebhookEndpoint::write(otp::WebhookEndpointState next, std::string_view type,
                                          std::string client_ip, std::string detail) {
  const otp::EventWriter events(ports_.random, {{}, {}, client_ip, {}, {}, {}});
  const auto written = co_await otp::update<otp::WebhookEndpointState, bool>(
      ports_.store, ports_.clock, key_, [&](otp::WebhookEndpointState& state, TimePoint now) {
        otp::Decision<bool> decision{.out = true};
        if (state.disabled == next.disabled) {
          next = state;  // since then, not since now
          return decision;
        }
        decision.changed = true;
        decision.erase = !next.disabled;
        decision.expires_at = now + k_endpoint_kept;
        decision.effects.events.push_back(events.make(type, {}, now, detail));
        state = next;
        return decision;
      });
  if (!written) co_return std::unexpected(written.error());
  remember(next);
  co_return Result<void>{};
}

void WebhookEndpoint::remember(const otp::WebhookEndpointState& state) {
  since_ms_.store(state.disabled ? state.since.time_since_epoch().count() : 0,
                  std::memory_order_relaxed);
}

}  // namespace otpd::delivery
