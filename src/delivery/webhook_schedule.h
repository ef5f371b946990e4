// WebhookSchedule: what follows one try to deliver a webhook. A pure rule.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "delivery/webhook_client.h"

namespace otpd::delivery {

struct WebhookStep {
  enum class How : std::uint8_t {
    delivered,
    again,  // at `at`
    dead,   // the schedule has ended
    gone,   // the endpoint wants no webhook ever again (410)
  };
  How how = How::delivered;
  TimePoint at;
  std::string reason;  // from a fixed set
  bool slow = false;   // the endpoint is overloaded: 429, 502, 504, or no answer in time
};

// Standard Webhooks, "Deliverability and reliability": 2xx is a yes, everything else a no; tries at
// once and then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h after the one before. The
// times are counted from the event (at 5 s, 5 min 5 s, 35 min 5 s, …), each later by up to a tenth
// of its gap, never sooner than a Retry-After asks. A try that came late takes the place of those
// that it missed; none is made after the last time (75 h 35 min) but one that was put off.
// `happened`: the event. `tried`: when this try began.
WebhookStep next_webhook_step(const Result<WebhookAnswer>& answer, TimePoint happened,
                              TimePoint tried, TimePoint now, Random& random);

// When a webhook is looked at again that could not be tried now: later, the older it is, so that
// many that wait do not keep everybody busy. Between a second and half an hour.
TimePoint put_off_until(TimePoint happened, TimePoint now, Random& random);

}  // namespace otpd::delivery
