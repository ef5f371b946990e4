// SmppSession: a lasting connection to an SMSC as a transceiver (SMPP 3.4).
//
// It binds, asks after the link when it is silent, answers what the SMSC asks, keeps a window of
// unanswered submit_sm, and connects again when the connection ends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"
#include "net/link.h"
#include "net/smpp_pdu.h"

namespace otpd::net {

struct SmppSessionConfig {
  LinkTarget target;
  std::string system_id;
  Secret password;
  std::string system_type;
  std::size_t window = 10;          // submit_sm without an answer at once
  std::size_t max_waiting = 1'000;  // submits that wait for the window or for a bind
  Millis connect_timeout{5'000};    // TCP and TLS
  Millis bind_timeout{5'000};
  Millis enquire_link{30'000};  // silence after which we ask whether the SMSC is still there
  Millis link_timeout{10'000};  // for the answer; then the connection is given up
  Millis backoff_base{500};     // before the first reconnect; it doubles until
  Millis backoff_max{30'000};
};

// What the SMSC said to a submit_sm; or, if `to_bind`, to our bind, so that it took no submit_sm.
struct SmppAnswer {
  std::uint32_t status = smpp_status::k_ok;
  std::string message_id;
  bool to_bind = false;
};

// How long to wait before connecting again, after `failures` (at least 1) connections in a row
// that did not last: between half and all of base * 2^(failures - 1), at most `backoff_max`.
Millis smpp_backoff(const SmppSessionConfig& config, std::uint32_t failures, Random& random);

// Used on its loop, and destroyed there or after the loop's end; may be made on any thread.
class SmppSession {
 public:
  // Gets every well-formed deliver_sm, after its answer is on its way. Runs on the loop.
  using OnDeliver = std::function<void(const SmppMessage&)>;

  // Connects at once. `random` must outlive the session. Failure::invalid: the bind's fields are
  // too long.
  static Result<std::unique_ptr<SmppSession>> make(boost::asio::io_context& loop,
                                                   SmppSessionConfig config, Random& random,
                                                   OnDeliver on_deliver);
  // Says unbind if the socket takes it, and closes. What waits ends with Failure::unavailable.
  ~SmppSession();
  SmppSession(const SmppSession&) = delete;
  SmppSession& operator=(const SmppSession&) = delete;

  // Sends submit_sm and waits for its answer, `timeout` at most; until then it also waits for the
  // window and for a bind.
  //   Failure::timeout      no answer: whether the SMSC has the message is not known
  //   Failure::unavailable  the connection ended before the answer (not known, either); or it has
  //                         been unbound for longer than `timeout`, so that nothing was sent
  //   Failure::overloaded   too many wait; nothing was sent
  //   Failure::invalid      `message` cannot be written; nothing was sent
  Task<Result<SmppAnswer>> submit(const SmppMessage& message, Millis timeout);

  bool is_bound() const;

 private:
  class State;
  explicit SmppSession(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace otpd::net
