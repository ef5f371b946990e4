// Courier: takes jobs from the queue and sees each to its end: handed over to a carrier, or given
// up with a reason. The one loop that retries.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/dispatcher.h"
#include "delivery/queue.h"
#include "delivery/retry.h"
#include "delivery/tally.h"
#include "delivery/templates.h"
#include "otp/cap_desk.h"
#include "otp/payload.h"
#include "otp/store.h"

namespace otpd::delivery {

class ExpirySweep;
class WebhookSenders;
struct AdmittedWebhook;

// What follows on a message of which no receipt came.
struct Fallback {
  std::string channel;
  Millis after{30'000};
};

// How the messages of one application are made, and which way they go. All outlives the courier.
struct Outlet {
  const Templates& templates;
  Dispatcher& dispatcher;
  otp::CapDesk& caps;  // charges fallbacks; the first message was charged when it was accepted
  std::map<std::string, std::string, std::less<>> link_urls = {};  // purpose -> URL with {token}
  std::map<std::string, Fallback, std::less<>> fallbacks = {};     // by channel
  std::set<std::string, std::less<>> fallback_purposes = {};       // those that allow it
};
using Outlets = std::map<std::string, Outlet, std::less<>>;  // by application

struct CourierConfig {
  std::string application = "default";  // of jobs that name none, and of the lanes
  std::size_t in_flight = 256;          // jobs at once
  Millis lease{30'000};                 // longer than a try with its commit can take
  Millis trouble_pause{250};            // before asking a store again that failed
  RetryPolicy retry;
};

// What the courier works with; all outlive it.
struct CourierPorts {
  otp::Store& store;
  Queue& queue;
  const Clock& clock;
  Random& random;
  const crypto::KeyRing& keys;
  Metrics& metrics;
  WebhookSenders* webhooks = nullptr;  // null: a webhook that waits becomes a dead letter
  ExpirySweep* deadlines = nullptr;    // null: nobody wants to know them
};

// Lives on one loop.
class Courier {
 public:
  // `outlets` has that of `config.application`. What is of an application that has none becomes a
  // dead letter.
  Courier(CourierPorts ports, CourierConfig config, Outlets outlets);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Takes and delivers until `stop`; returns when the last try has ended and is written. What was
  // not begun stays in the queue.
  Task<void> run();

  // Lets `run` end. To be called on the courier's loop.
  void stop();

 private:
  struct Meters;
  struct Delivery;
  Task<void> deliver(Job job);
  Task<void> attempt(Delivery& delivery);
  Task<bool> open(Delivery& delivery);
  const Outlet* find_outlet(std::string_view application) const;
  std::size_t on_their_way() const;
  Result<std::shared_ptr<const Message>> compose(const Delivery& delivery, Millis left) const;
  Task<NextStep> hand_over(Delivery& delivery);
  Task<Result<void>> remember_message(const Delivery& delivery, const std::string& message_id);
  void plan_fallback(Delivery& delivery, const std::string& message_id);
  Task<Result<std::string_view>> charge_fallback(Delivery& delivery);
  bool mark_end(otp::RecipientState& state, const Delivery& delivery, const NextStep& step,
                TimePoint now) const;

  Task<void> write_end(Delivery& delivery, NextStep step);
  otp::Effects effects_of(Delivery& delivery, const NextStep& step);
  Task<Result<void>> try_write_end(Delivery& delivery, const NextStep& step, otp::Effects effects);
  void count(const Delivery& delivery, const NextStep& step) const;

  std::size_t webhooks_in_flight() const;
  void take_webhooks(std::vector<Job> jobs, const Executor& loop);
  Task<void> send_webhook(AdmittedWebhook webhook);
  Task<void> end_webhooks(std::vector<otp::JobEnd> ends);

  CourierPorts ports_;
  CourierConfig config_;
  const Outlets outlets_;
  std::unique_ptr<Meters> meters_;
  // By job id, the newest lease of what this courier is busy with: a job that came again, because
  // its lease ran out under us or its end had just been written, is not begun twice.
  struct Held {
    std::uint64_t lease;
    std::uint32_t attempt;
  };
  std::unordered_map<std::string, Held> busy_;
  std::unique_ptr<Timer> room_;  // cancelled when a try ends
  bool stopping_ = false;
};

}  // namespace otpd::delivery
