// Short ways to say what became of a try.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"
#include "delivery/provider.h"

namespace otpd::providers {

inline delivery::Outcome accepted(std::string message_id) {
  delivery::Outcome out;
  out.kind = delivery::Outcome::Kind::accepted;
  out.message_id = std::move(message_id);
  return out;
}

inline delivery::Outcome refused(delivery::Outcome::Kind kind, std::string reason) {
  delivery::Outcome out;
  out.kind = kind;
  out.reason = std::move(reason);
  return out;
}

// For a call that got no answer: `transient`, whatever went wrong on the way. The reason is from
// a fixed set, because libcurl's words could name a host or an address.
inline delivery::Outcome no_answer(const Error& error) {
  const auto kind = delivery::Outcome::Kind::transient;
  switch (error.kind) {
    case Failure::timeout:
      return refused(kind, "timeout");
    case Failure::unavailable:
      return refused(kind, "no connection");
    default:
      return refused(kind, "unusable answer");
  }
}

}  // namespace otpd::providers
