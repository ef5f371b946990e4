// Short ways to try, and to say what became of it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/result.h"
#include "delivery/provider.h"
#include "net/client.h"

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

// Takes trailing slashes off the URL of an API; Failure::invalid naming `who` if it is none.
inline Result<void> trim_base_url(const char* who, std::string& url) {
  while (url.ends_with('/')) url.pop_back();
  if (url.starts_with("https://") || url.starts_with("http://")) return {};
  return fail(Failure::invalid, std::string(who) + ": base_url: not an http or https URL");
}

// Does the call within `timeout`; `classify(answer)` says what its answer means. `call` must
// outlive the task.
template <class Classify>
Task<delivery::Outcome> hand_over(net::Client& client, net::HttpCall& call, Millis timeout,
                                  Classify classify) {
  call.connect_timeout = std::min(call.connect_timeout, timeout);
  call.timeout = timeout;
  const auto answer = co_await client.http(call);
  if (!answer) co_return no_answer(answer.error());
  co_return classify(*answer);
}

}  // namespace otpd::providers
