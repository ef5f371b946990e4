// Short ways to try, and to say what became of it.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/result.h"
#include "delivery/provider.h"
#include "net/client.h"
#include "providers/retry_after.h"

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

// What a refusal over HTTP means where the carrier says nothing better: 429 is too fast; who we are
// or whom we ask is wrong (401, 402, 403, 404, 405, 407, 410), which no message can mend. All else
// may work later or elsewhere, also a 400: it can be about this one message, and one odd number
// must not close a lane for all.
inline delivery::Outcome::Kind kind_of_http(int status) {
  using Kind = delivery::Outcome::Kind;
  constexpr int k_ours[] = {401, 402, 403, 404, 405, 407, 410};
  if (status == 429) return Kind::throttled;
  return std::ranges::find(k_ours, status) != std::end(k_ours) ? Kind::misconfigured
                                                               : Kind::transient;
}

// The refusal with the answer's Retry-After, where waiting helps.
inline delivery::Outcome with_wait(delivery::Outcome out, const net::Headers& headers,
                                   TimePoint now) {
  using Kind = delivery::Outcome::Kind;
  if (out.kind == Kind::throttled || out.kind == Kind::transient) {
    out.retry_after = retry_after(headers, now);
  }
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
