#include "otp/captcha_desk.h"

#include "crypto/primitives.h"
#include "otp/events.h"
#include "otp/friction.h"
#include "otp/keys.h"
#include "otp/update.h"

namespace otpd::otp {
namespace {

constexpr std::string_view k_for_recipient = "recipient";
constexpr std::string_view k_for_address = "ip";

}  // namespace

CaptchaDesk::CaptchaDesk(const Services& services, const Rules& rules)
    : services_(services),
      rules_(rules),
      keys_(CaptchaKeys::derive(services.keys.index_key(), rules.application)) {}

Key CaptchaDesk::record_key(const CaptchaProof& proof) const {
  return captcha_key(
      keyed_hash(services_.keys.index_key(), "captcha", rules_.application, proof.id));
}

CaptchaChallenge CaptchaDesk::challenge(const CaptchaSubject& subject, std::uint32_t level) const {
  const auto binding =
      captcha_binding(keys_, subject.purpose, k_for_recipient, subject.recipient_hash);
  return make_captcha(keys_, rules_.limits.friction, binding, level, services_.random,
                      services_.clock.now());
}

Task<Result<std::uint32_t>> CaptchaDesk::level_of(std::string ip_hash) {
  const auto loaded = co_await services_.store.load(ip_key(ip_hash));
  if (!loaded) co_return std::unexpected(loaded.error());
  LogState state;
  if (loaded->version != 0) {
    auto decoded = decode<LogState>(loaded->bytes);
    if (!decoded) co_return std::unexpected(decoded.error());
    state = std::move(*decoded);
  }
  const Friction& friction = rules_.limits.friction;
  const auto nth = 1 + count_within(state.times, friction.window, services_.clock.now());
  co_return captcha_level(friction, 0, nth, pressure_.load()).value_or(0);
}

Task<Result<LimitVerdict>> CaptchaDesk::charge_fetch(std::string client_ip) {
  const Limit& limit = rules_.limits.ip_captchas;
  const Key key =
      ip_key(captcha_fetches_hash(services_.keys.index_key(), rules_.application, client_ip));
  const EventWriter events(services_.random, {{}, {}, client_ip, {}, {}, {}});
  auto hint = probably_none(services_.store, key);
  co_return co_await update<LogState, LimitVerdict>(
      services_.store, services_.clock, key,
      [&](LogState& state, TimePoint now) {
        Decision<LimitVerdict> decision{.out = check_limit(state.times, limit, now)};
        if (decision.out.allowed) {
          charge(state.times, now);
          decision.changed = true;
          decision.expires_at = now + limit.window;
        } else {
          decision.effects.events.push_back(
              events.make(audit::event_type::k_limited, {}, now, "captcha"));
        }
        return decision;
      },
      std::move(hint));
}

Task<Result<CaptchaChallenge>> CaptchaDesk::for_address(std::string purpose,
                                                        std::string client_ip) {
  const std::string hash = ip_hash(services_.keys.index_key(), rules_.application, client_ip);
  const auto level = co_await level_of(hash);
  if (!level) co_return std::unexpected(level.error());
  co_return make_captcha(keys_, rules_.limits.friction,
                         captcha_binding(keys_, purpose, k_for_address, hash), *level,
                         services_.random, services_.clock.now());
}

Task<Result<CaptchaChallengeV1>> CaptchaDesk::for_address_v1(std::string purpose,
                                                             std::string client_ip) {
  const std::string hash = ip_hash(services_.keys.index_key(), rules_.application, client_ip);
  const auto level = co_await level_of(hash);
  if (!level) co_return std::unexpected(level.error());
  co_return make_captcha_v1(keys_, rules_.limits.friction,
                            captcha_binding(keys_, purpose, k_for_address, hash), *level,
                            services_.random, services_.clock.now());
}

Task<Result<std::optional<std::string_view>>> CaptchaDesk::redeem(
    const CaptchaAnswer& answer, CaptchaSubject subject, std::uint32_t level,
    std::string admission_id, std::optional<CaptchaProof>& proof) {
  using Reason = std::optional<std::string_view>;
  const auto checked = check_captcha(keys_, answer, services_.clock.now());
  if (!checked) co_return Reason(checked.error());
  const auto fits = [&](std::string_view kind, std::string_view hash) {
    return crypto::equal_constant_time(captcha_binding(keys_, subject.purpose, kind, hash),
                                       checked->binding);
  };
  if (!fits(k_for_recipient, subject.recipient_hash) && !fits(k_for_address, subject.ip_hash)) {
    co_return Reason("other");
  }
  if (checked->level < level) co_return Reason("easy");

  const Key key = record_key(*checked);
  auto hint = probably_none(services_.store, key);
  const auto mine = co_await update<CaptchaState, bool>(
      services_.store, services_.clock, key,
      [&](CaptchaState& state, TimePoint) {
        const bool fresh = state.admission_id.empty();
        const bool redeemed = otp::redeem(state, admission_id);
        // Twice the life: the record outlasts the captcha by any clock.
        return Decision<bool>{
            .out = redeemed,
            .changed = fresh,
            .expires_at = checked->expires_at + rules_.limits.friction.captcha_lifetime};
      },
      std::move(hint));
  if (!mine) co_return std::unexpected(mine.error());
  if (!*mine) co_return Reason("used");
  proof = *checked;
  co_return Reason();
}

Task<Result<void>> CaptchaDesk::give_back(CaptchaProof proof, std::string admission_id) {
  const auto done = co_await update<CaptchaState, bool>(
      services_.store, services_.clock, record_key(proof), [&](CaptchaState& state, TimePoint) {
        const bool mine = state.admission_id == admission_id;
        return Decision<bool>{.out = mine, .changed = mine, .erase = true};
      });
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>();
}

}  // namespace otpd::otp
