// Receipts: what a carrier tells later about a message that it took.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace otpd::delivery {

struct Receipt {
  enum class State : std::uint8_t {
    on_its_way,  // nothing new for us: queued, sent, buffered, …
    delivered,   // the phone, or the mailbox's server, has it
    failed,      // it will not arrive
  };
  State state = State::on_its_way;
  std::string message_id;  // the carrier's; as in Outcome::message_id
  std::string reason;      // the carrier's error code, short; no address, no text
};

// A request to /callbacks/{provider}, as it came.
struct CallbackRequest {
  std::string_view method;
  std::string_view url;    // as the carrier was given it: the configured public URL, path and query
  std::string_view query;  // after '?', percent-encoded
  std::string_view body;
  const std::vector<std::pair<std::string, std::string>>& headers;
};

// Knows how one carrier signs and words its receipts. Pure; safe from any thread.
class ReceiptReader {
 public:
  virtual ~ReceiptReader() = default;
  // The receipts in it. Failure::invalid: the signature is missing or wrong, it is stale, or it
  // cannot be read; nothing of it may be believed then.
  virtual Result<std::vector<Receipt>> read(const CallbackRequest& callback,
                                            TimePoint now) const = 0;

  // What to answer, as plain text with status 200, to a carrier that asks whether it is at the
  // right place before it sends any receipt (GET); nothing if this is no such question, or asked
  // without our word for it.
  virtual std::optional<std::string> answer_to(const CallbackRequest& /*question*/) const {
    return {};
  }
};

// Takes the receipts that come by a connection of the provider's own (SMPP). Called on the
// provider's loop.
using ReceiptSink = std::function<void(Receipt)>;

}  // namespace otpd::delivery
