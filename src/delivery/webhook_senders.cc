#include "delivery/webhook_senders.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "crypto/seal.h"

namespace otpd::delivery {

WebhookSenders::WebhookSenders(const crypto::KeyRing& keys, Metrics& metrics, ByApplication senders)
    : keys_(keys), metrics_(metrics), senders_(std::move(senders)) {
  for (const auto& [_, sender] : senders_) {
    if (std::ranges::find(each_, sender) == each_.end()) each_.push_back(sender);
  }
}

otp::JobEnd WebhookSenders::bury(const Job& job, const char* reason) const {
  log::error("a webhook cannot be sent", {{"job", hex_encode(job.id)}, {"reason", reason}});
  count_webhook(metrics_, "dead");
  return {.id = job.id, .how = otp::JobEnd::How::dead, .reason = reason};
}

std::expected<AdmittedWebhook, otp::JobEnd> WebhookSenders::admit(Job job) {
  const auto opened = crypto::open(keys_, job.sealed, job.id);
  if (!opened) return std::unexpected(bury(job, "unreadable"));
  auto payload = otp::decode<otp::WebhookPayload>(opened->reveal());
  if (!payload) return std::unexpected(bury(job, "unreadable"));
  const auto found = senders_.find(payload->application);
  if (found == senders_.end()) return std::unexpected(bury(job, "no webhook endpoint"));
  WebhookSender* sender = found->second;
  if (!sender->admit()) return std::unexpected(sender->put_off(job));
  return AdmittedWebhook{std::move(job), std::move(*payload), sender};
}

Task<otp::JobEnd> WebhookSenders::send(const AdmittedWebhook& webhook) {
  return webhook.sender->send(webhook.job, webhook.payload);
}

std::size_t WebhookSenders::in_flight() const {
  std::size_t all = 0;
  for (const WebhookSender* sender : each_) all += sender->in_flight();
  return all;
}

}  // namespace otpd::delivery
