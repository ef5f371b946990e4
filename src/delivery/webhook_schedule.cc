#include "delivery/webhook_schedule.h"

#include <algorithm>

namespace otpd::delivery {
namespace {

using How = WebhookStep::How;

// The gaps of https://github.com/standard-webhooks/standard-webhooks (spec, "Retry schedule").
constexpr Seconds k_webhook_gaps[] = {
    Seconds(0),      Seconds(5),      Seconds(300),    Seconds(1'800),  Seconds(7'200),
    Seconds(18'000), Seconds(36'000), Seconds(50'400), Seconds(72'000), Seconds(86'400)};

constexpr Millis k_least_put_off{1'000};
constexpr Millis k_most_put_off = std::chrono::minutes(30);

Millis up_to(Millis most, Random& random) {
  return Millis(
      static_cast<std::int64_t>(random.u64() % (static_cast<std::uint64_t>(most.count()) + 1)));
}

std::string reason_of(const Result<WebhookAnswer>& answer) {
  if (answer) return "http " + std::to_string(answer->status);
  if (answer.error().kind == Failure::timeout) return "timeout";
  return answer.error().kind == Failure::unavailable ? "no connection" : "unusable";
}

bool is_slow(const Result<WebhookAnswer>& answer) {
  if (!answer) return answer.error().kind == Failure::timeout;
  return answer->status == 429 || answer->status == 502 || answer->status == 504;
}

}  // namespace

WebhookStep next_webhook_step(const Result<WebhookAnswer>& answer, TimePoint happened,
                              TimePoint tried, TimePoint now, Random& random) {
  if (answer && answer->status >= 200 && answer->status < 300) return {};
  WebhookStep step{
      .how = How::dead, .at = now, .reason = reason_of(answer), .slow = is_slow(answer)};
  if (answer && answer->status == 410) {
    step.how = How::gone;
    return step;
  }
  TimePoint planned = happened;
  for (const Seconds gap : k_webhook_gaps) {
    planned += gap;
    if (planned <= tried) continue;
    step.how = How::again;
    step.at = std::max(planned + up_to(Millis(gap) / 10, random), now + k_least_put_off);
    if (answer && answer->retry_after) step.at = std::max(step.at, now + *answer->retry_after);
    return step;
  }
  return step;
}

TimePoint put_off_until(TimePoint happened, TimePoint now, Random& random) {
  const Millis wait = std::clamp((now - happened) / 4, k_least_put_off, k_most_put_off);
  return now + wait / 2 + up_to(wait / 2, random);
}

}  // namespace otpd::delivery
