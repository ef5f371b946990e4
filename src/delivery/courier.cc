#include "delivery/courier.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/log.h"
#include "delivery/courier_delivery.h"
#include "delivery/expiry_sweep.h"
#include "otp/keys.h"
#include "otp/verification.h"

namespace otpd::delivery {
namespace {

constexpr Millis k_take_wait{250};  // how late a retry may be seen to be due
constexpr std::size_t k_take_batch = 64;

}  // namespace

struct Courier::Meters {
  explicit Meters(Metrics& metrics)
      : given_up(metrics.counter("otpd_given_up_total", "Messages that became dead letters.")),
        accept_to_sent(metrics.seconds("otpd_delivery_seconds",
                                       "From the accepted send to the carrier's yes.")),
        tally(metrics) {}
  Counter given_up;
  Histogram accept_to_sent;
  Tally tally;
};

Courier::Courier(CourierPorts ports, CourierConfig config, Outlets outlets)
    : ports_(ports),
      config_(std::move(config)),
      outlets_(std::move(outlets)),
      meters_(std::make_unique<Meters>(ports.metrics)) {}

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
    const std::size_t most = config_.in_flight + webhooks_in_flight();
    if (busy_.size() >= most) {
      co_await wait_for_room(k_take_wait);
      continue;
    }
    const std::size_t room = std::min(most - busy_.size(), k_take_batch);
    auto jobs = co_await ports_.queue.take(ports_.clock.now(), config_.lease, room, k_take_wait);
    if (!jobs) {
      log::warn("the queue cannot be read", {{"reason", jobs.error().message}});
      co_await sleep_for(config_.trouble_pause);
      continue;
    }
    std::vector<Job> webhooks;
    for (Job& job : *jobs) {
      const auto [known, fresh] = busy_.insert_or_assign(job.id, Held{job.lease, job.attempt});
      if (!fresh) continue;
      if (otp::is_webhook_key(job.key)) {
        webhooks.push_back(std::move(job));
      } else {
        boost::asio::co_spawn(co_await this_executor(), deliver(std::move(job)),
                              boost::asio::detached);
      }
    }
    take_webhooks(std::move(webhooks), co_await this_executor());
  }
  while (!busy_.empty() || on_their_way() > 0) {
    co_await wait_for_room(k_take_wait);
  }
}

const Outlet* Courier::find_outlet(std::string_view application) const {
  const auto found = outlets_.find(application.empty() ? config_.application : application);
  return found == outlets_.end() ? nullptr : &found->second;
}

std::size_t Courier::on_their_way() const {
  std::size_t all = 0;
  for (const auto& [application, outlet] : outlets_) all += outlet.dispatcher.on_their_way();
  return all;
}

Task<void> Courier::deliver(Job job) {
  const std::string id = job.id;
  Delivery delivery{.job = std::move(job)};
  co_await attempt(delivery);
  busy_.erase(id);
  room_->cancel();
}

Task<void> Courier::attempt(Delivery& delivery) {
  if (!co_await open(delivery)) co_return;
  const Job& job = delivery.job;
  if (!delivery.state) {
    co_await write_end(delivery, GiveUp{"unreadable", k_reason_unavailable});
    co_return;
  }
  const otp::Verification* verification =
      otp::find_verification(*delivery.state, delivery.payload.verification_id.unique);
  const TimePoint now = ports_.clock.now();
  if (now >= job.expires_at && delivery.payload.replaces.empty()) {
    co_await write_end(delivery, GiveUp{"expired", k_reason_too_late});
    co_return;
  }
  if (now >= job.expires_at || verification == nullptr || !verification->is_live(now) ||
      arrived(delivery.payload, *verification)) {
    co_await write_end(delivery, Moot{});
    co_return;
  }
  delivery.outlet = find_outlet(delivery.payload.application);
  if (delivery.outlet == nullptr) {
    co_await write_end(delivery, GiveUp{"unknown application", k_reason_misconfigured});
    co_return;
  }
  if (!delivery.payload.replaces.empty()) {
    const auto refused = co_await charge_fallback(delivery);
    if (!refused) {  // taken again when the lease has run out
      log::warn("a fallback cannot be charged", {{"reason", refused.error().message}});
      co_return;
    }
    if (!refused->empty()) {
      co_await write_end(delivery, Refused{*refused});
      co_return;
    }
  }
  delivery.accepted_at = verification->last_send_at;
  NextStep step = co_await hand_over(delivery);
  co_await write_end(delivery, std::move(step));
}

// The end is written under the newest lease: one that was renewed meanwhile makes the step stale.
Task<void> Courier::write_end(Delivery& delivery, NextStep step) {
  // Made once, so that a write whose answer was lost leaves nothing twice when repeated.
  const otp::Effects effects = effects_of(delivery, step);
  for (int tries = 0; tries < k_max_write_tries; ++tries) {
    const std::uint64_t lease = busy_.at(delivery.job.id).lease;
    const auto written = co_await try_write_end(delivery, step, effects);
    if (written && lease != busy_.at(delivery.job.id).lease) continue;
    if (written) {
      count(delivery, step);
      if (ports_.deadlines != nullptr && !std::holds_alternative<TryAgain>(step)) {
        ports_.deadlines->watch(delivery.job.key, delivery.job.expires_at);
      }
      co_return;
    }
    log::warn("the end of a delivery cannot be written", {{"reason", written.error().message}});
    co_await sleep_for(config_.trouble_pause);
  }
}

void Courier::count(const Delivery& delivery, const NextStep& step) const {
  const std::string& country = delivery.payload.country;
  if (std::holds_alternative<GiveUp>(step)) {
    meters_->given_up.add();
    meters_->tally.count(Tally::What::failed, delivery.lane, country);
  }
  if (std::holds_alternative<HandedOver>(step)) {
    const std::chrono::duration<double> took = ports_.clock.now() - delivery.accepted_at;
    if (delivery.payload.replaces.empty()) meters_->accept_to_sent.observe(took.count());
    meters_->tally.count(Tally::What::accepted, delivery.lane, country);
  }
}

}  // namespace otpd::delivery
