#include "delivery/courier.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/seal.h"
#include "otp/events.h"
#include "otp/keys.h"
#include "otp/update.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

constexpr Millis k_take_wait{250};     // how late a retry may be seen to be due
constexpr int k_max_write_tries = 40;  // within the lease; after it another worker delivers again
constexpr std::size_t k_take_batch = 64;

// The user's link: the token in the place of {token}.
std::string fill_link(std::string_view url, std::string_view token) {
  std::string link(url);
  if (const auto at = link.find("{token}"); at != std::string::npos) link.replace(at, 7, token);
  return link;
}

// How a final step is recorded.
struct Ending {
  otp::DeliveryState delivery;
  std::string_view neutral;
  std::string_view event;
  std::string_view detail;
};

// `step` is not TryAgain and outlives the answer.
Ending ending_of(const NextStep& step) {
  if (const auto* handed = std::get_if<HandedOver>(&step)) {
    return {otp::DeliveryState::sent, {}, audit::event_type::k_sent, handed->message_id};
  }
  if (const auto* give_up = std::get_if<GiveUp>(&step)) {
    return {otp::DeliveryState::failed, give_up->neutral, audit::event_type::k_delivery_failed,
            give_up->reason};
  }
  return {otp::DeliveryState::failed, k_reason_too_late, audit::event_type::k_delivery_failed,
          "ended"};
}

}  // namespace

struct Courier::Meters {
  explicit Meters(Metrics& metrics, const Routes& routes) {
    const std::string help = "Tries to hand a message over, by lane and outcome.";
    constexpr std::string_view outcomes[] = {"accepted", "transient", "throttled", "rejected",
                                             "misconfigured"};
    for (const auto& [channel, lane] : routes) {
      if (tries.contains(lane.name)) continue;
      for (const auto outcome : outcomes) {
        tries[lane.name].push_back(
            metrics.counter("otpd_provider_tries_total", help,
                            {{"lane", lane.name}, {"outcome", std::string(outcome)}}));
      }
      seconds.emplace(lane.name, metrics.seconds("otpd_provider_seconds",
                                                 "Time of one try to hand a message over.",
                                                 {{"lane", lane.name}}));
    }
    given_up = std::make_unique<Counter>(
        metrics.counter("otpd_given_up_total", "Messages that became dead letters."));
    accept_to_sent = std::make_unique<Histogram>(
        metrics.seconds("otpd_delivery_seconds", "From the accepted send to the carrier's yes."));
  }
  std::map<std::string, std::vector<Counter>, std::less<>> tries;
  std::map<std::string, Histogram, std::less<>> seconds;
  std::unique_ptr<Counter> given_up;
  std::unique_ptr<Histogram> accept_to_sent;
};

// One job on its way.
struct Courier::Delivery {
  Job job;
  otp::Payload payload;
  otp::Record record;    // the recipient's, as loaded before the try
  bool readable = true;  // job and record; else only the dead letter can tell
  std::string lane;
  TimePoint accepted_at;  // when the send was accepted
};

Courier::Courier(CourierPorts ports, CourierConfig config)
    : ports_(ports),
      config_(std::move(config)),
      meters_(std::make_unique<Meters>(ports.metrics, ports.routes)) {}

Courier::~Courier() = default;

void Courier::stop() {
  stopping_ = true;
  if (room_) room_->cancel();
}

Task<void> Courier::run() {
  room_ = std::make_unique<Timer>(co_await this_executor());
  const auto wait_for_room = [this](Millis limit) -> Task<void> {
    boost::system::error_code cancelled;
    room_->expires_after(limit);
    co_await room_->async_wait(boost::asio::redirect_error(use_task, cancelled));
  };
  while (!stopping_) {
    if (busy_.size() >= config_.in_flight) {
      co_await wait_for_room(k_take_wait);
      continue;
    }
    const std::size_t room = std::min(config_.in_flight - busy_.size(), k_take_batch);
    auto jobs = co_await ports_.queue.take(ports_.clock.now(), config_.lease, room, k_take_wait);
    if (!jobs) {
      log::warn("the queue cannot be read", {{"reason", jobs.error().message}});
      co_await sleep_for(config_.trouble_pause);
      continue;
    }
    for (Job& job : *jobs) {
      const auto [known, fresh] = busy_.insert_or_assign(job.id, job.lease);
      if (fresh) {
        boost::asio::co_spawn(co_await this_executor(), deliver(std::move(job)),
                              boost::asio::detached);
      }
    }
  }
  while (!busy_.empty()) co_await wait_for_room(k_take_wait);
}

Task<void> Courier::deliver(Job job) {
  const std::string id = job.id;
  Delivery delivery{.job = std::move(job)};
  co_await attempt(delivery);
  busy_.erase(id);
  room_->cancel();
}

Task<void> Courier::attempt(Delivery& delivery) {
  const Job& job = delivery.job;
  const auto opened = crypto::open(ports_.keys, job.sealed, job.id);
  auto payload = opened ? otp::decode<otp::Payload>(opened->reveal())
                        : Result<otp::Payload>(std::unexpected(opened.error()));
  if (!payload) {
    // Without the payload nobody knows whose it was: only the dead letter can tell.
    log::error("a job cannot be opened",
               {{"job", hex_encode(job.id)}, {"reason", payload.error().message}});
    delivery.payload.verification_id.recipient_hash = otp::hash_of(job.key);
    delivery.readable = false;
    co_await write_end(delivery, GiveUp{"unreadable", k_reason_unavailable});
    co_return;
  }
  delivery.payload = std::move(*payload);

  auto loaded = co_await ports_.store.load(job.key);
  if (!loaded) co_return;  // the lease runs out and the job is taken again
  delivery.record = std::move(*loaded);
  auto state = delivery.record.version == 0
                   ? Result<otp::RecipientState>(otp::RecipientState{})
                   : otp::decode<otp::RecipientState>(delivery.record.bytes);
  if (!state) {
    delivery.readable = false;
    co_await write_end(delivery, GiveUp{"unreadable", k_reason_unavailable});
    co_return;
  }
  const otp::Verification* verification =
      otp::find_verification(*state, delivery.payload.verification_id.unique);
  const TimePoint now = ports_.clock.now();
  if (now >= job.expires_at) {
    co_await write_end(delivery, GiveUp{"expired", k_reason_too_late});
    co_return;
  }
  if (verification == nullptr || !verification->is_live(now)) {
    co_await write_end(delivery, Moot{});
    co_return;
  }
  delivery.accepted_at = verification->last_send_at;

  const auto route = ports_.routes.find(delivery.payload.channel);
  if (route == ports_.routes.end()) {
    co_await write_end(delivery, GiveUp{"no route", k_reason_misconfigured});
    co_return;
  }
  delivery.lane = route->second.name;
  const Outcome outcome = co_await hand_over(delivery, route->second);
  co_await write_end(delivery, next_step(outcome, job.attempt, ports_.clock.now(), job.expires_at,
                                         config_.retry, ports_.random));
}

Task<Outcome> Courier::hand_over(Delivery& delivery, const Lane& lane) {
  const otp::Payload& payload = delivery.payload;
  const Millis left = delivery.job.expires_at - ports_.clock.now();
  std::string link;
  if (const auto url = config_.link_urls.find(payload.purpose);
      url != config_.link_urls.end() && !payload.link_token.empty()) {
    link = fill_link(url->second, payload.link_token.reveal());
  }
  auto rendered = ports_.templates.render(payload.purpose, payload.channel, payload.locale,
                                          {.code = payload.code.reveal(),
                                           .link = link,
                                           .amount = payload.context.amount,
                                           .currency = payload.context.currency,
                                           .payee = payload.context.payee,
                                           .valid_for = left});
  wipe(link);
  if (!rendered) {
    co_return Outcome{Outcome::Kind::misconfigured, {}, rendered.error().message, {}};
  }
  const Message message{.job_id = hex_encode(delivery.job.id),
                        .channel = payload.channel,
                        .to = payload.address.clone(),
                        .subject = std::move(rendered->subject),
                        .text = std::move(rendered->text),
                        .code = payload.code.clone(),
                        .purpose = payload.purpose,
                        .locale = payload.locale,
                        .country = payload.country,
                        .valid_for = left};
  const auto begun = std::chrono::steady_clock::now();
  Outcome outcome = co_await lane.provider.send(message, std::min(config_.provider_timeout, left));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  meters_->seconds.at(lane.name).observe(took.count());
  meters_->tries.at(lane.name)[static_cast<std::size_t>(outcome.kind)].add();
  if (outcome.kind == Outcome::Kind::misconfigured) {
    log::error("a lane refuses our credentials or settings",
               {{"lane", lane.name}, {"reason", outcome.reason}});
  }
  co_return outcome;
}

// The end is written under the newest lease: one that was renewed meanwhile makes the step stale.
Task<void> Courier::write_end(Delivery& delivery, NextStep step) {
  const audit::Event line = line_of(delivery, step);
  for (int tries = 0; tries < k_max_write_tries; ++tries) {
    const std::uint64_t lease = busy_.at(delivery.job.id);
    const auto written = co_await try_write_end(delivery, step, line);
    if (written && lease != busy_.at(delivery.job.id)) continue;
    if (written) {
      if (std::holds_alternative<GiveUp>(step)) meters_->given_up->add();
      if (std::holds_alternative<HandedOver>(step)) {
        const std::chrono::duration<double> took = ports_.clock.now() - delivery.accepted_at;
        meters_->accept_to_sent->observe(took.count());
      }
      co_return;
    }
    log::warn("the end of a delivery cannot be written", {{"reason", written.error().message}});
    co_await sleep_for(config_.trouble_pause);
  }
}

// Made once, so that a write whose answer was lost does not leave a second line when repeated.
audit::Event Courier::line_of(const Delivery& delivery, const NextStep& step) const {
  if (std::holds_alternative<TryAgain>(step)) return {};
  const otp::Payload& payload = delivery.payload;
  const otp::EventWriter events(ports_.random, {payload.verification_id.recipient_hash,
                                                payload.user_id,
                                                {},
                                                payload.country,
                                                payload.purpose,
                                                delivery.lane});
  const Ending ending = ending_of(step);
  return events.make(ending.event, payload.verification_id.unique, ports_.clock.now(),
                     ending.detail);
}

Task<Result<void>> Courier::try_write_end(Delivery& delivery, const NextStep& step,
                                          const audit::Event& line) {
  otp::Effects effects;
  otp::JobEnd& job_end = effects.finish.emplace_back(delivery.job.id, busy_.at(delivery.job.id));
  if (const auto* again = std::get_if<TryAgain>(&step)) {
    job_end.how = otp::JobEnd::How::retry;
    job_end.due_at = again->at;
    job_end.reason = again->reason;
    co_return co_await ports_.store.append(std::move(effects));
  }
  if (const auto* give_up = std::get_if<GiveUp>(&step)) {
    job_end.how = otp::JobEnd::How::dead;
    job_end.reason = give_up->reason;
  }
  effects.events.push_back(line);
  if (!delivery.readable) co_return co_await ports_.store.append(std::move(effects));

  const Ending ending = ending_of(step);
  const auto marked = co_await otp::update<otp::RecipientState, bool>(
      ports_.store, ports_.clock, delivery.job.key,
      [&](otp::RecipientState& state, TimePoint now) {
        otp::Decision<bool> decision{.out = true, .effects = effects};
        decision.changed = otp::mark_delivery(state, delivery.payload.verification_id.unique,
                                              ending.delivery, ending.neutral, now);
        decision.expires_at = otp::garbage_at(state, now);
        return decision;
      },
      delivery.record.version == 0 ? std::nullopt : std::optional(std::move(delivery.record)));
  delivery.record = {};
  if (!marked) co_return std::unexpected(marked.error());
  co_return Result<void>{};
}

}  // namespace otpd::delivery
