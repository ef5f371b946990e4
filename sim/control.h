// Control: the interface by which tests and people read the inbox and switch the faults.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "faults.h"
#include "inbox.h"
#include "net/http_message.h"

namespace otpd::sim {

class Control {
 public:
  // All must outlive it.
  Control(Inbox& inbox, FaultBoard& faults, const Clock& clock)
      : inbox_(inbox), faults_(faults), clock_(clock) {}

  // Whether the path is /inbox.json, /stats.json, /faults, /faults.json or /faults/….
  static bool owns(std::string_view path);
  net::HttpResponse handle(const net::HttpRequest& request);
  // An answer of ours (not of a carrier) that refuses.
  static net::HttpResponse refuse(int status, std::string_view why);

 private:
  net::HttpResponse inbox(const net::HttpRequest& request);
  net::HttpResponse stats() const;
  net::HttpResponse all_faults() const;
  net::HttpResponse common_faults(const net::HttpRequest& request);
  net::HttpResponse face_faults(const net::HttpRequest& request, std::string_view name);

  Inbox& inbox_;
  FaultBoard& faults_;
  const Clock& clock_;
};

}  // namespace otpd::sim
