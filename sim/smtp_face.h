// SmtpFace: the simulated mail server. What it accepts appears in the inbox.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "faults.h"
#include "inbox.h"
#include "net/event_loops.h"

namespace otpd::sim {

class SmtpFace {
 public:
  // Listens on the first loop. `inbox`, `faults` and `clock` must outlive the loops' run. Fails
  // with the address, the port and the system's reason.
  static Result<std::unique_ptr<SmtpFace>> listen(net::EventLoops& loops,
                                                  const std::string& address, std::uint16_t port,
                                                  Inbox& inbox, FaultBoard& faults,
                                                  const Clock& clock,
                                                  Millis deadline = Millis(60'000));
  // Stops accepting and ends all connections.
  ~SmtpFace();

  std::uint16_t port() const;

 private:
  class Listener;
  explicit SmtpFace(std::shared_ptr<Listener> listener);
  std::shared_ptr<Listener> listener_;
};

}  // namespace otpd::sim
