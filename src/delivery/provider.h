// Provider: the port to a carrier. A provider speaks one protocol and classifies the answer; it
// never retries, chooses or waits.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "base/task.h"
#include "delivery/receipt.h"

namespace otpd::delivery {

// A rendered message.
struct Message {
  std::string job_id;   // hex; the same for every try of one job, for providers that de-duplicate
  std::string channel;  // sms, voice, whatsapp, email
  Secret to;            // E.164, or an e-mail address
  std::string subject;  // e-mail only
  Secret text;          // voice: what is to be said once
  Secret code = {};     // alone, for carriers that fill a template of their own; may be empty
  std::string purpose = {};
  std::string locale = {};        // BCP 47, as the caller asked; may be empty
  std::string country = {};       // ISO 3166-1 alpha-2 of a phone; may be empty
  std::string reference = {};     // the verification's id, as the API shows it
  std::string callback_url = {};  // where the carrier may send receipts of this message, or empty
  Millis valid_for{0};            // how long the code still lives

  Message clone() const;
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

  // Who reads the receipts that the carrier posts to us; null if it posts none.
  virtual const ReceiptReader* receipts() const { return nullptr; }

  // Whether receipts name the message by the carrier's id alone, because the carrier takes no
  // callback URL for each message.
  virtual bool receipts_by_message_id() const { return false; }
};

}  // namespace otpd::delivery
