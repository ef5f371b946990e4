// Jobs that are events for an application's endpoint: each endpoint has a budget of its own, so
// that one that hangs takes no room from messages, nor from another.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "delivery/courier_delivery.h"
#include "delivery/webhook_senders.h"

namespace otpd::delivery {

std::size_t Courier::webhooks_in_flight() const {
  return ports_.webhooks == nullptr ? 0 : ports_.webhooks->in_flight();
}

// Begins what there is room for, and gives the rest back in one write.
void Courier::take_webhooks(std::vector<Job> jobs, const Executor& loop) {
  std::vector<otp::JobEnd> ends;
  for (Job& job : jobs) {
    if (ports_.webhooks == nullptr) {
      ends.push_back(
          {.id = job.id, .how = otp::JobEnd::How::dead, .reason = "no webhook endpoint"});
    } else if (auto admitted = ports_.webhooks->admit(std::move(job))) {
      boost::asio::co_spawn(loop, send_webhook(std::move(*admitted)), boost::asio::detached);
    } else {
      ends.push_back(std::move(admitted.error()));
    }
  }
  if (ends.empty()) return;
  boost::asio::co_spawn(loop, end_webhooks(std::move(ends)), boost::asio::detached);
}

Task<void> Courier::send_webhook(AdmittedWebhook webhook) {
  std::vector<otp::JobEnd> ends;
  ends.push_back(co_await WebhookSenders::send(webhook));
  co_await end_webhooks(std::move(ends));
}

// As with messages: a lease that was renewed meanwhile makes the step stale.
Task<void> Courier::end_webhooks(std::vector<otp::JobEnd> ends) {
  const auto renew = [&] {
    bool renewed = false;
    for (otp::JobEnd& end : ends) {
      const std::uint64_t newest = busy_.at(end.id).lease;
      renewed = renewed || end.lease != newest;
      end.lease = newest;
    }
    return renewed;
  };
  renew();
  for (int tries = 0; tries < k_max_write_tries; ++tries) {
    const auto written = co_await ports_.store.append({.finish = ends});
    if (written && !renew()) break;
    if (written) continue;
    log::warn("the end of a webhook cannot be written", {{"reason", written.error().message}});
    co_await sleep_for(config_.trouble_pause);
    renew();
  }
  for (const otp::JobEnd& end : ends) busy_.erase(end.id);
  room_->cancel();
}

}  // namespace otpd::delivery
