// Provider: the port to a carrier. A provider speaks one protocol and classifies the answer; it
// never retries, chooses or waits.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "base/task.h"

namespace otpd::delivery {

// A rendered message.
struct Message {
  std::string job_id;   // hex; the same for every try of one job, for providers that de-duplicate
  std::string channel;  // sms, voice, whatsapp, email
  Secret to;            // E.164, or an e-mail address
  std::string subject;  // e-mail only
  Secret text;
  Millis valid_for{0};  // how long the code still lives
};

// What became of one try. Classified once, here.
struct Outcome {
  enum class Kind : std::uint8_t {
    accepted,       // the carrier has it; `message_id` names it there
    transient,      // may work later or elsewhere
    throttled,      // too fast; not before `retry_after`
    rejected,       // this recipient will never work: stop
    misconfigured,  // our credentials or settings are wrong: nobody's message will work
  };
  Kind kind = Kind::transient;
  std::string message_id;
  std::string reason;  // short and from the protocol (an error code); no address, no text
  std::optional<Millis> retry_after;
};

class Provider {
 public:
  virtual ~Provider() = default;
  // Hands the message to the carrier and says what became of it, within `timeout`. Never throws;
  // no answer in time is `transient` with reason "timeout". Runs on the caller's loop.
  virtual Task<Outcome> send(const Message& message, Millis timeout) = 0;
};

}  // namespace otpd::delivery
