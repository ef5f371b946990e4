#include "delivery/expiry_sweep.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "otp/events.h"
#include "otp/keys.h"
#include "otp/update.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

constexpr std::size_t k_recover_rows = 1'000;  // of the audit log at once
constexpr Millis k_no_lifetime{0};

}  // namespace

ExpirySweep::ExpirySweep(ExpirySweepPorts ports, ExpirySweepConfig config)
    : ports_(ports),
      config_(config),
      missed_(ports.metrics.counter(
          "otpd_deadlines_missed_total",
          "Verifications whose end is only written when they are next looked at.")) {}

void ExpirySweep::watch(otp::Key key, TimePoint deadline) {
  if (deadlines_.size() >= config_.max_waiting) {
    missed_.add();
    return;
  }
  deadlines_.emplace(deadline, std::move(key));
}

Task<void> ExpirySweep::sweep() {
  while (!deadlines_.empty() && deadlines_.top().first <= ports_.clock.now()) {
    const otp::Key key = deadlines_.top().second;
    deadlines_.pop();
    const auto expired = co_await expire(key);
    if (expired) continue;
    log::warn("the end of a verification cannot be written", {{"reason", expired.error().message}});
    if (expired.error().kind != Failure::corrupt) {
      watch(key, ports_.clock.now() + config_.again_after);
    }
  }
}

Task<Result<void>> ExpirySweep::expire(const otp::Key& key) {
  const std::string hash = otp::hash_of(key);
  const otp::EventWriter events(ports_.random, {hash, {}, {}, {}, {}, {}});
  const auto swept = co_await otp::update<otp::RecipientState, bool>(
      ports_.store, ports_.clock, key, [&](otp::RecipientState& state, TimePoint now) {
        otp::Decision<bool> decision{.out = true};
        decision.effects.events = events.expire(state, now);
        otp::name_application(decision.effects.events, state.application, config_.application);
        decision.changed = !decision.effects.events.empty();
        decision.expires_at = otp::garbage_at(state, now);
        return decision;
      });
  if (!swept) co_return std::unexpected(swept.error());
  co_return Result<void>{};
}

Task<Result<void>> ExpirySweep::recover(
    audit::AuditLog& audit, const std::map<std::string, Millis, std::less<>>& lifetimes) {
  Millis longest = k_no_lifetime;
  for (const auto& [_, lifetime] : lifetimes) longest = std::max(longest, lifetime);
  audit::Query query{.event_type = std::string(audit::event_type::k_send),
                     .from = ports_.clock.now() - longest,
                     .limit = k_recover_rows};
  while (deadlines_.size() < config_.max_waiting) {
    const auto sends = co_await audit.search(query);
    if (!sends) co_return std::unexpected(sends.error());
    for (const audit::Event& send : *sends) {
      const auto lifetime = lifetimes.find(send.purpose);
      const auto hash = hex_decode(send.channel_hash);
      if (lifetime == lifetimes.end() || !hash) continue;
      watch(otp::recipient_key(*hash), send.created_at + lifetime->second);
    }
    if (sends->size() < k_recover_rows) break;
    // The last millisecond again: its lines may not all have been on the page.
    const TimePoint next = sends->back().created_at + Millis(1);
    if (query.to == next) break;
    query.to = next;
  }
  co_return Result<void>{};
}

}  // namespace otpd::delivery
