// What a send is charged for, in this order; the first refusal ends it. IP and user count requests,
// so theirs stay when something further down refuses. Everything else counts what is sent: the
// recipient's limit and the captcha are decided on first, the caps are charged last.
#include <utility>

#include "otp/friction.h"
#include "otp/issuer_work.h"
#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

// An address that has sent to too many countries within the hour.
constexpr std::string_view k_ip_countries = "ip_countries";
constexpr std::string_view k_pressure = "pressure";

RateLimited too_many_countries(const Limit& limit, Millis wait) {
  return {"ip", limit, {.allowed = false, .remaining = 0, .retry_after = wait, .reset = wait}};
}

}  // namespace

Task<Result<SendOutcome>> Issuer::admit_within_limits(Work& work, crypto::HashPool::Ticket ticket) {
  if (work.test != nullptr) co_return co_await send_once(work, std::move(ticket));
  auto charge = co_await charge_ip(work);
  if (charge && !charge->refusal) {
    work.ip_sends = charge->recent;
    if (!work.request.user_id.empty()) charge = co_await charge_user(work);
  }
  if (!charge) co_return std::unexpected(charge.error());
  if (charge->refusal) co_return *charge->refusal;
  const auto felt = co_await feel_pressure(work);
  if (!felt) co_return std::unexpected(felt.error());

  auto outcome = co_await send_once(work, std::move(ticket));
  if (work.captcha && is_refusal(outcome)) {
    // If that fails, the caller has lost a captcha and nothing else.
    (void)co_await captchas_.give_back(*work.captcha, work.admission_id);
  }
  co_return outcome;
}

// `further(state, now)` may refuse what the limit lets through, and is told when it is charged.
template <class Rule>
Task<Result<Issuer::Charge>> Issuer::charge_limit(Work& work, Key key, Limit limit,
                                                  std::string_view name, Rule further) {
  auto hint = probably_none(services_.store, key);
  co_return co_await update<LogState, Charge>(
      services_.store, services_.clock, std::move(key),
      [&](LogState& state, TimePoint now) {
        const LimitVerdict verdict = check_limit(state.times, limit, now);
        Decision<Charge> decision{.out = {}};
        std::string_view reason = name;
        if (!verdict.allowed) {
          decision.out.refusal = RateLimited{name, limit, verdict};
        } else if (auto refused = further(state, now)) {
          decision.out.refusal = std::move(refused);
          reason = k_ip_countries;
        } else {
          otp::charge(state.times, now);
          decision.out.recent = count_within(state.times, rules_.limits.friction.window, now);
          decision.changed = true;
          decision.expires_at = now + std::max(limit.window, rules_.limits.ip_countries.window);
        }
        if (decision.out.refusal) {
          decision.effects.events.push_back(
              work.events.make(audit::event_type::k_limited, {}, now, reason));
        }
        return decision;
      },
      std::move(hint));
}

Task<Result<Issuer::Charge>> Issuer::charge_ip(Work& work) {
  const Limits& limits = rules_.limits;
  const std::string_view country = listed_country(work.request.recipient);
  bool shadowed = false;
  auto charge = co_await charge_limit(
      work, ip_key(work.ip_hash), limits.ip_sends, "ip",
      [&](LogState& state, TimePoint now) -> std::optional<RateLimited> {
        shadowed = false;
        if (country.empty()) return std::nullopt;
        const Millis wait = check_countries(state.countries, limits.ip_countries, country, now);
        shadowed = wait > Millis(0) && limits.ip_countries_shadow;
        if (wait > Millis(0) && !shadowed) return too_many_countries(limits.ip_countries, wait);
        if (!shadowed) note_country(state.countries, country, now);
        return std::nullopt;
      });
  if (shadowed) work.shadow_limits.push_back(k_ip_countries);
  co_return charge;
}

Task<Result<Issuer::Charge>> Issuer::charge_user(Work& work) {
  const std::string hash =
      keyed_hash(services_.keys.index_key(), "user", rules_.application, work.request.user_id);
  co_return co_await charge_limit(
      work, user_key(hash), rules_.limits.user_sends, "user",
      [](LogState&, TimePoint) -> std::optional<RateLimited> { return std::nullopt; });
}

// What all sends together ask of this one.
Task<Result<void>> Issuer::feel_pressure(Work& work) {
  const auto used = co_await caps_.used_percent();
  if (!used) co_return std::unexpected(used.error());
  work.pressure = pressure_level(rules_.limits.friction, *used);
  const auto& cap = rules_.caps.application[Meter::hour];
  if (work.pressure && cap && cap->shadow) {
    work.pressure.reset();
    work.shadow_limits.push_back(k_pressure);
  }
  captchas_.set_pressure(work.pressure);
  co_return Result<void>();
}

// Once for each send, however often it is planned.
Task<Result<std::optional<SendOutcome>>> Issuer::charge_caps(Work& work) {
  using Refusal = std::optional<SendOutcome>;
  if (work.test != nullptr || work.charged) co_return Refusal();
  auto charge = co_await caps_.charge(work.request.recipient, work.request.channel, work.events);
  if (!charge) co_return std::unexpected(charge.error());
  if (charge->refusal) {
    Effects effects;
    effects.events.push_back(
        work.events.make(audit::event_type::k_limited, {}, services_.clock.now(), charge->reason));
    const auto written = co_await services_.store.append(std::move(effects));
    if (!written) co_return std::unexpected(written.error());
    co_return Refusal(*charge->refusal);
  }
  work.charged = charge->price;
  for (const std::string_view reason : charge->shadowed) work.shadow_limits.push_back(reason);
  co_return Refusal();
}

}  // namespace otpd::otp
