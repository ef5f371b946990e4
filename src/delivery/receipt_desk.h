// ReceiptDesk: what carriers tell later, written where it belongs.
#pragma once

#include <atomic>
#include <string>

#include "base/metrics.h"
#include "crypto/key_ring.h"
#include "delivery/receipt.h"
#include "delivery/tally.h"
#include "otp/ids.h"
#include "otp/store.h"

namespace otpd::delivery {

struct ReceiptPorts {
  otp::Store& store;
  const Clock& clock;
  Random& random;
  const crypto::KeyRing& keys;
  Metrics& metrics;
};

struct ReceiptConfig {
  std::string application = "default";  // the base one
  // A receipt may be faster than our own note of the message: how often and how long apart it is
  // looked for.
  int looks = 20;
  Millis between_looks{250};
  std::size_t waiting = 1'000;  // receipts that are looked for at once; more are dropped
};

enum class ReceiptFate : std::uint8_t {
  written,  // the delivery moved
  ignored,  // on its way, a duplicate, out of order, or of an earlier message
  unknown,  // no message of ours, or not yet: then it is looked for a while longer
};

// Safe from any thread.
class ReceiptDesk {
 public:
  ReceiptDesk(ReceiptPorts ports, ReceiptConfig config);

  // A genuine receipt of that lane. `reference` is the verification's id as its callback URL
  // carried it, or empty: then the carrier's message id leads to it. It only counts for the
  // message that the lane took last, and only once. Failures: as the store.
  // What is looked for longer goes on on the caller's loop, which must end before the desk does.
  Task<Result<ReceiptFate>> take(std::string lane, std::string reference, Receipt receipt);

 private:
  Task<void> look_again(std::string lane, std::string reference, Receipt receipt);
  Task<Result<ReceiptFate>> look(const std::string& lane, const std::string& reference,
                                 const Receipt& receipt);
  Task<Result<std::optional<otp::VerificationId>>> find(const std::string& lane,
                                                        const Receipt& receipt);
  Task<Result<ReceiptFate>> write(const std::string& lane, const otp::VerificationId& id,
                                  const Receipt& receipt);
  void count(ReceiptFate fate) const;

  ReceiptPorts ports_;
  const ReceiptConfig config_;
  const Tally tally_;
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace otpd::delivery
