// KeyUpkeep: keeps what a process knows of the API keys up to date, and tells when they were used.
#pragma once

#include "gateway/key_book.h"

namespace otpd::app {

// For one loop. Both outlive it.
class KeyUpkeep {
 public:
  // `seems_proxied`: only a key keeps what a proxy forwards from acting as this machine.
  KeyUpkeep(gateway::KeyBook& book, otp::ApiKeys& keys, bool seems_proxied)
      : book_(book), keys_(keys), seems_proxied_(seems_proxied) {}

  // Once it knows that there has never been a key, it warns of a proxy. Reads the keys every half
  // second and writes their uses every two, for ever: what another process has revoked is dead here
  // within that second.
  Task<void> run();

  // Writes the uses that wait.
  Task<void> write_uses();

 private:
  gateway::KeyBook& book_;
  otp::ApiKeys& keys_;
  bool seems_proxied_;
};

}  // namespace otpd::app
