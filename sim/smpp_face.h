// SmppFace: a simulated SMPP 3.4 message centre.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "faults.h"
#include "inbox.h"
#include "net/event_loops.h"
#include "receipts.h"

namespace otpd::sim {

struct SmppAccount {
  std::string system_id = "simulated";
  std::string password = "password";  // the protocol allows eight characters
};

class SmppFace {
 public:
  // Listens on the first loop. The references must outlive the loops' run. Fails with the address,
  // the port and the system's reason.
  static Result<std::unique_ptr<SmppFace>> listen(net::EventLoops& loops,
                                                  const std::string& address, std::uint16_t port,
                                                  SmppAccount account, Inbox& inbox,
                                                  FaultBoard& faults, Receipts& receipts,
                                                  const Clock& clock);
  // Stops accepting and ends all connections.
  ~SmppFace();

  std::uint16_t port() const;

 private:
  class Listener;
  explicit SmppFace(std::shared_ptr<Listener> listener);
  std::shared_ptr<Listener> listener_;
};

}  // namespace otpd::sim
