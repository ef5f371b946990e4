#include "delivery/webhook_sender.h"

#include <algorithm>

#include "base/log.h"
#include "delivery/webhook_outbox.h"

namespace otpd::delivery {
namespace {

using Ending = otp::JobEnd::How;

// How long an overloaded endpoint is spared: doubled while it stays so.
constexpr Millis k_spare_first{1'000};
constexpr Millis k_spare_most{60'000};

// So many tries without a yes between them, and the endpoint is one that fails.
constexpr int k_failing_from = 8;

constexpr const char* k_disabled = "webhook endpoint disabled";

TimePoint happened_at(const Job& job) {
  return job.expires_at - k_webhook_life;
}

otp::JobEnd webhook_end(const Job& job, Ending how, std::string reason = {}, TimePoint due = {}) {
  return {.id = job.id, .how = how, .due_at = due, .reason = std::move(reason)};
}

}  // namespace

void count_webhook(Metrics& metrics, const char* result) {
  metrics
      .counter("otpd_webhooks_total", "Tries to deliver a webhook, by what came of them.",
               {{"result", result}})
      .add();
}

WebhookSender::WebhookSender(WebhookSenderPorts ports, crypto::WebhookKeys signing,
                             WebhookSenderConfig config)
    : ports_(ports), signing_(std::move(signing)), config_(config) {}

bool WebhookSender::admit() {
  if (in_flight_ >= config_.max_in_flight || ports_.clock.now() < spared_until_) return false;
  ++in_flight_;
  return true;
}

Task<otp::JobEnd> WebhookSender::send(const Job& job, const otp::WebhookPayload& payload) {
  otp::JobEnd end = co_await attempt(job, payload);
  --in_flight_;
  co_return end;
}

otp::JobEnd WebhookSender::put_off(const Job& job) {
  if (ports_.endpoint.disabled()) return webhook_end(job, Ending::dead, k_disabled);
  count_webhook(ports_.metrics, "put_off");
  const TimePoint now = ports_.clock.now();
  const TimePoint due = put_off_until(happened_at(job), now, ports_.random);
  const Millis spared = std::max(Millis(0), spared_until_ - now);
  return webhook_end(job, Ending::retry, "endpoint busy", due + spared);
}

Task<otp::JobEnd> WebhookSender::attempt(const Job& job, const otp::WebhookPayload& payload) {
  if (ports_.endpoint.disabled()) co_return webhook_end(job, Ending::dead, k_disabled);
  const TimePoint tried = ports_.clock.now();
  const std::string timestamp = crypto::webhook_timestamp(tried);
  const std::string signature = signing_.sign(payload.id, tried, payload.body);
  const WebhookPost post{.url = ports_.endpoint.url(),
                         .id = payload.id,
                         .timestamp = timestamp,
                         .signature = signature,
                         .body = payload.body,
                         .timeout = config_.timeout};
  const auto answer = co_await ports_.client.post(post);
  const TimePoint now = ports_.clock.now();
  WebhookStep step = next_webhook_step(answer, happened_at(job), tried, now, ports_.random);
  pace(answer, step, now);
  co_await note_outcome(step);
  co_return co_await conclude(job, std::move(step));
}

Task<otp::JobEnd> WebhookSender::conclude(const Job& job, WebhookStep step) {
  switch (step.how) {
    case WebhookStep::How::delivered:
      count_webhook(ports_.metrics, "delivered");
      co_return webhook_end(job, Ending::done);
    case WebhookStep::How::again:
      count_webhook(ports_.metrics, "failed");
      co_return webhook_end(job, Ending::retry, std::move(step.reason), step.at);
    case WebhookStep::How::gone: {
      log::error("the webhook endpoint wants no more events and was disabled", {});
      const auto written = co_await ports_.endpoint.disable(step.reason);
      if (!written) {
        log::warn("the webhook endpoint cannot be disabled", {{"reason", written.error().message}});
      }
      break;
    }
    case WebhookStep::How::dead:
      log::warn("a webhook was given up", {{"reason", step.reason}});
      break;
  }
  count_webhook(ports_.metrics, "dead");
  co_return webhook_end(job, Ending::dead, std::move(step.reason));
}

// Written only where it changes: an endpoint that answers costs no write, nor does one that is
// down.
Task<void> WebhookSender::note_outcome(const WebhookStep& step) {
  const bool good = step.how == WebhookStep::How::delivered;
  failed_in_a_row_ = good ? 0 : failed_in_a_row_ + 1;
  if (good != ports_.endpoint.failing()) co_return;
  if (!good && failed_in_a_row_ < k_failing_from) co_return;
  const auto written = co_await ports_.endpoint.set_failing(!good);
  if (written) co_return;
  log::warn("whether the webhook endpoint answers cannot be written",
            {{"reason", written.error().message}});
}

void WebhookSender::pace(const Result<WebhookAnswer>& answer, const WebhookStep& step,
                         TimePoint now) {
  if (!step.slow) {
    slow_in_a_row_ = 0;
    return;
  }
  const Millis spare =
      std::min(k_spare_first * (1 << std::min(slow_in_a_row_++, 10)), k_spare_most);
  const Millis asked = answer && answer->retry_after ? *answer->retry_after : Millis(0);
  spared_until_ = std::max(spared_until_, now + std::max(spare, asked));
}

}  // namespace otpd::delivery
