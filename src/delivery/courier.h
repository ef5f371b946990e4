// Courier: takes jobs from the queue and sees each to its end: handed over to a carrier, or given
// up with a reason. The one loop that retries.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/provider.h"
#include "delivery/queue.h"
#include "delivery/retry.h"
#include "delivery/templates.h"
#include "otp/payload.h"
#include "otp/store.h"

namespace otpd::delivery {

// A provider under the name that the configuration gives it.
struct Lane {
  std::string name;
  Provider& provider;
};

// By channel: who carries it.
using Routes = std::map<std::string, Lane, std::less<>>;

struct CourierConfig {
  std::size_t in_flight = 256;  // tries at once
  Millis lease{30'000};         // longer than a try with its commit can take
  Millis provider_timeout{8'000};
  Millis trouble_pause{250};  // before asking a store again that failed
  RetryPolicy retry;
  std::map<std::string, std::string, std::less<>> link_urls;  // purpose -> URL with {token}
};

// What the courier works with; all outlive it.
struct CourierPorts {
  otp::Store& store;
  Queue& queue;
  const Clock& clock;
  Random& random;
  const crypto::KeyRing& keys;
  const Templates& templates;
  const Routes& routes;
  Metrics& metrics;
};

// Lives on one loop.
class Courier {
 public:
  Courier(CourierPorts ports, CourierConfig config);
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
  Task<Outcome> hand_over(Delivery& delivery, const Lane& lane);
  Task<void> write_end(Delivery& delivery, NextStep step);
  Task<Result<void>> try_write_end(Delivery& delivery, const NextStep& step,
                                   const audit::Event& line);
  audit::Event line_of(const Delivery& delivery, const NextStep& step) const;

  CourierPorts ports_;
  CourierConfig config_;
  std::unique_ptr<Meters> meters_;
  // Job id -> newest lease, of what this courier is busy with: a job whose lease ran out under us
  // is not begun twice.
  std::unordered_map<std::string, std::uint64_t> busy_;
  std::unique_ptr<Timer> room_;  // cancelled when a try ends
  bool stopping_ = false;
};

}  // namespace otpd::delivery
