// Problem: every error that the gateway can answer (RFC 9457), in one table.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_message.h"
#include "otp/issuer.h"

namespace otpd::gateway {

// The stable names; `error` in the body is the enumerator's name.
enum class ProblemName : std::uint8_t {
  invalid_request,
  invalid_phone,
  invalid_email,
  invalid_code,
  unauthorized,
  forbidden,
  captcha_required,
  invalid_otp,
  not_found,
  method_not_allowed,
  request_timeout,
  in_progress,
  too_many_factors,
  name_taken,
  too_many_keys,
  otp_expired,
  payload_too_large,
  unsupported_media_type,
  recipient_not_allowed,
  idempotency_key_reused,
  rate_limited,
  attempts_exhausted,
  header_too_large,
  internal,
  delivery_unavailable,
  overloaded,
  unavailable,
};

struct Problem {
  ProblemName name = ProblemName::internal;
  std::string detail{};
  std::string member{};  // which member of the request is wrong
  std::string limit{};   // rate_limited
  std::string scope{};   // forbidden: which an API key would need; several are alternatives
  std::optional<std::uint32_t> attempts_remaining{};
  bool requires_new_otp = false;
  std::optional<Seconds> retry_after{};  // also sent as Retry-After
  std::string checks{};                  // unavailable: JSON of the parts, or empty
  std::string captcha{};                 // captcha_required: JSON of the challenge
  net::Headers headers{};                // further fields, e.g. Allow
};

// "invalid_request" and so on.
std::string_view problem_name(ProblemName name);

// The answer: application/problem+json.
net::HttpResponse to_response(const Problem& problem);

// What a caller is told of a failure inside; the failure's own message is for the log.
Problem problem_of(const Error& error);

// A limit's refusal.
Problem problem_of(const otp::RateLimited& limited);

// A refusal by what is capped for everybody. How high the cap is stays untold: the fields speak of
// one send, after the wait.
Problem problem_of(const otp::CapReached& reached);

// The RateLimit and RateLimit-Policy fields (draft-ietf-httpapi-ratelimit-headers) for one limit.
net::Headers rate_limit_headers(std::string_view name, const otp::Limit& rule,
                                std::uint32_t remaining, Millis reset);

// The problem for an HTTP-level refusal by the server itself (400, 408, 413, …).
Problem problem_of_status(int status, std::string_view reason);

}  // namespace otpd::gateway
