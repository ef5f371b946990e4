#include "delivery/courier_delivery.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/seal.h"
#include "otp/events.h"
#include "otp/keys.h"
#include "otp/update.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

namespace event = audit::event_type;

// How long receipts are waited for after the code's end; later they tell nobody anything.
constexpr Millis k_receipts_late = std::chrono::hours(1);

// The user's link: the token in the place of {token}.
std::string fill_link(std::string_view url, std::string_view token) {
  std::string link(url);
  if (const auto at = link.find("{token}"); at != std::string::npos) link.replace(at, 7, token);
  return link;
}

// The log is read in the order of its ids, and these are of one moment: as they were written.
void put_in_order(std::vector<audit::Event>& lines) {
  std::vector<std::string> ids;
  for (audit::Event& line : lines) ids.push_back(std::move(line.id));
  std::ranges::sort(ids);
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].id = std::move(ids[i]);
}

}  // namespace

// Reads the job and its record. False if the store does not answer: then the lease runs out and
// the job is taken again.
Task<bool> Courier::open(Delivery& delivery) {
  const Job& job = delivery.job;
  const auto opened = crypto::open(ports_.keys, job.sealed, job.id);
  auto payload = opened ? otp::decode<otp::Payload>(opened->reveal())
                        : Result<otp::Payload>(std::unexpected(opened.error()));
  if (!payload) {
    // Without the payload nobody knows whose it was: only the dead letter can tell.
    log::error("a job cannot be opened",
               {{"job", hex_encode(job.id)}, {"reason", payload.error().message}});
    delivery.payload.verification_id.recipient_hash = otp::hash_of(job.key);
    co_return true;
  }
  delivery.payload = std::move(*payload);
  auto loaded = co_await ports_.store.load(job.key);
  if (!loaded) co_return false;
  delivery.record = std::move(*loaded);
  if (delivery.record.version == 0) {
    delivery.state.emplace();
  } else if (auto state = otp::decode<otp::RecipientState>(delivery.record.bytes)) {
    delivery.state = std::move(*state);
  }
  co_return true;
}

Result<std::shared_ptr<const Message>> Courier::compose(const Delivery& delivery,
                                                        Millis left) const {
  const otp::Payload& payload = delivery.payload;
  std::string link;
  if (const auto url = delivery.outlet->link_urls.find(payload.purpose);
      url != delivery.outlet->link_urls.end() && !payload.link_token.empty()) {
    link = fill_link(url->second, payload.link_token.reveal());
  }
  auto rendered =
      delivery.outlet->templates.render(payload.purpose, payload.channel, payload.locale,
                                        {.code = payload.code.reveal(),
                                         .link = link,
                                         .amount = payload.context.amount,
                                         .currency = payload.context.currency,
                                         .payee = payload.context.payee,
                                         .valid_for = left});
  wipe(link);
  if (!rendered) return std::unexpected(rendered.error());
  return std::make_shared<const Message>(Message{.job_id = hex_encode(delivery.job.id),
                                                 .channel = payload.channel,
                                                 .to = payload.address.clone(),
                                                 .subject = std::move(rendered->subject),
                                                 .text = std::move(rendered->text),
                                                 .code = payload.code.clone(),
                                                 .purpose = payload.purpose,
                                                 .locale = payload.locale,
                                                 .country = payload.country,
                                                 .reference = payload.verification_id.text(),
                                                 .callback_url = {},
                                                 .valid_for = left});
}

Task<NextStep> Courier::hand_over(Delivery& delivery) {
  const Millis left = delivery.job.expires_at - ports_.clock.now();
  auto message = compose(delivery, left);
  if (!message) co_return GiveUp{message.error().message, k_reason_misconfigured};
  Dispatch dispatch = co_await delivery.outlet->dispatcher.dispatch(std::move(*message), left);
  delivery.lane = dispatch.lane;
  delivery.failed = std::move(dispatch.failed);
  const TimePoint now = ports_.clock.now();
  if (dispatch.lane.empty()) {
    if (dispatch.outcome.kind == Outcome::Kind::misconfigured) {
      co_return GiveUp{dispatch.outcome.reason, k_reason_misconfigured};
    }
    if (now + dispatch.wait >= delivery.job.expires_at) {
      co_return GiveUp{dispatch.outcome.reason, k_reason_unavailable};
    }
    co_return TryAgain{now + dispatch.wait, dispatch.outcome.reason};
  }
  NextStep step = next_step(dispatch.outcome, delivery.job.attempt, now, delivery.job.expires_at,
                            config_.retry, ports_.random);
  if (const auto* handed = std::get_if<HandedOver>(&step)) {
    plan_fallback(delivery, handed->message_id);
    const auto remembered = co_await remember_message(delivery, handed->message_id);
    if (!remembered) {
      log::warn("receipts of a message will not be understood",
                {{"reason", remembered.error().message}});
    }
  }
  co_return step;
}

// Receipts of some carriers say no more than their own name of the message.
Task<Result<void>> Courier::remember_message(const Delivery& delivery,
                                             const std::string& message_id) {
  if (message_id.empty() || !delivery.outlet->dispatcher.receipts_by_message_id(delivery.lane)) {
    co_return Result<void>{};
  }
  const otp::Key key =
      otp::message_key(ports_.keys.index_key(), config_.application, delivery.lane, message_id);
  auto committed = co_await ports_.store.commit(key, 0, delivery.payload.verification_id.bytes(),
                                                delivery.job.expires_at + k_receipts_late, {});
  if (!committed) co_return std::unexpected(committed.error());
  co_return Result<void>{};
}

// The job's end, and the audit lines of everything that happened on the way.
otp::Effects Courier::effects_of(Delivery& delivery, const NextStep& step) {
  otp::Effects effects;
  otp::JobEnd& job_end = effects.finish.emplace_back(delivery.job.id, 0);
  const TimePoint now = ports_.clock.now();
  const otp::Payload& payload = delivery.payload;
  const auto line = [&](std::string_view lane, std::string_view type, std::string_view detail) {
    const otp::EventWriter events(ports_.random, {payload.verification_id.recipient_hash,
                                                  payload.user_id,
                                                  {},
                                                  payload.country,
                                                  payload.purpose,
                                                  lane});
    effects.events.push_back(events.make(type, payload.verification_id.unique, now, detail));
  };
  for (const std::string_view reason : delivery.shadowed) {
    line({}, event::k_limited_shadow, reason);
  }
  for (const FailedTry& one : delivery.failed) line(one.lane, event::k_delivery_retry, one.reason);
  if (const auto* handed = std::get_if<HandedOver>(&step)) {
    line(delivery.lane, event::k_sent, handed->message_id);
    if (delivery.fallback) effects.enqueue.push_back(std::move(*delivery.fallback));
  } else if (const auto* again = std::get_if<TryAgain>(&step)) {
    job_end.how = otp::JobEnd::How::retry;
    job_end.due_at = again->at;
    job_end.reason = again->reason;
  } else if (const auto* give_up = std::get_if<GiveUp>(&step)) {
    job_end.how = otp::JobEnd::How::dead;
    job_end.reason = give_up->reason;
    line(delivery.lane, event::k_delivery_failed, give_up->reason);
  } else if (const auto* refused = std::get_if<Refused>(&step)) {
    line({}, event::k_limited, refused->reason);
    line({}, event::k_delivery_failed, otp::k_fallback_limited);  // dropped if that is known
  } else if (payload.replaces.empty()) {
    line(delivery.lane, event::k_delivery_failed, "ended");
  }
  otp::name_application(effects.events, payload.application, config_.application);
  put_in_order(effects.events);
  return effects;
}

// What the end of this try changes in the recipient's record. False if nothing.
bool Courier::mark_end(otp::RecipientState& state, const Delivery& delivery, const NextStep& step,
                       TimePoint now) const {
  const otp::Payload& payload = delivery.payload;
  const std::string& unique = payload.verification_id.unique;
  if (const auto* handed = std::get_if<HandedOver>(&step)) {
    return otp::mark_sent(state, unique, delivery.lane, handed->message_id, now);
  }
  if (std::holds_alternative<Refused>(step)) {
    return otp::mark_fallback_limited(state, unique, payload.replaces, now);
  }
  const bool again = std::holds_alternative<TryAgain>(step);
  bool changed = false;
  if (delivery.charged) {
    // A lease that was renewed meanwhile was a try of its own to the queue, and to nobody else. A
    // dead letter that is put back begins again with its first try.
    const std::uint32_t attempt = again ? busy_.at(delivery.job.id).attempt : 0;
    changed = otp::mark_charged(state, unique, {delivery.job.id, attempt});
  }
  if (again) return changed;
  const auto* give_up = std::get_if<GiveUp>(&step);
  const std::string_view error = give_up != nullptr ? give_up->neutral : k_reason_too_late;
  return otp::mark_failed(state, unique, error, now) || changed;
}

Task<Result<void>> Courier::try_write_end(Delivery& delivery, const NextStep& step,
                                          otp::Effects effects) {
  effects.finish.front().lease = busy_.at(delivery.job.id).lease;
  if (!delivery.state || (std::holds_alternative<TryAgain>(step) && !delivery.charged)) {
    co_return co_await ports_.store.append(std::move(effects));
  }
  const auto marked = co_await otp::update<otp::RecipientState, bool>(
      ports_.store, ports_.clock, delivery.job.key,
      [&](otp::RecipientState& state, TimePoint now) {
        otp::Decision<bool> decision{.out = true, .effects = effects};
        decision.changed = mark_end(state, delivery, step, now);
        if (std::holds_alternative<Refused>(step) && !decision.changed) {
          decision.effects.events.pop_back();
        }
        decision.expires_at = otp::garbage_at(state, now);
        return decision;
      },
      delivery.record.version == 0 ? std::nullopt : std::optional(std::move(delivery.record)));
  delivery.record = {};
  if (!marked) co_return std::unexpected(marked.error());
  co_return Result<void>{};
}

}  // namespace otpd::delivery
