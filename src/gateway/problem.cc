#include "gateway/problem.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace otpd::gateway {
namespace {

struct Row {
  std::string_view name;
  int status;
  std::string_view title;
};

// In the order of ProblemName.
constexpr Row k_rows[] = {
    {"invalid_request", 400, "The request cannot be used"},
    {"invalid_phone", 400, "Not a phone number"},
    {"invalid_email", 400, "Not an e-mail address"},
    {"invalid_code", 400, "Not a code"},
    {"unauthorized", 401, "Who is calling?"},
    {"forbidden", 403, "Not allowed"},
    {"captcha_required", 403, "Captcha required"},
    {"invalid_otp", 401, "Wrong code"},
    {"not_found", 404, "Not found"},
    {"method_not_allowed", 405, "Method not allowed"},
    {"request_timeout", 408, "The request did not arrive in time"},
    {"in_progress", 409, "The same request is still running"},
    {"too_many_factors", 409, "The user has as many factors as may be"},
    {"name_taken", 409, "The name is taken"},
    {"too_many_keys", 409, "There are as many API keys as may be"},
    {"otp_expired", 410, "The code is no longer valid"},
    {"payload_too_large", 413, "The body is too large"},
    {"unsupported_media_type", 415, "Unsupported media type"},
    {"recipient_not_allowed", 422, "The recipient is not served"},
    {"idempotency_key_reused", 422, "The idempotency key belongs to another request"},
    {"rate_limited", 429, "Too many requests"},
    {"attempts_exhausted", 429, "Too many wrong codes"},
    {"header_too_large", 431, "The header is too large"},
    {"internal", 500, "Internal error"},
    {"delivery_unavailable", 503, "No carrier answers"},
    {"overloaded", 503, "Too much to do"},
    {"unavailable", 503, "Not available"},
};
static_assert(std::size(k_rows) == static_cast<std::size_t>(ProblemName::unavailable) + 1);

const Row& row(ProblemName name) {
  return k_rows[static_cast<std::size_t>(name)];
}

// Whole seconds, rounded up: a client that waits them is not too early. At least 1.
Seconds whole_seconds(Millis wait) {
  return std::max(std::chrono::ceil<Seconds>(wait), Seconds(1));
}

std::string_view limit_words(std::string_view limit) {
  if (limit == "resend") return "A code was sent a moment ago; another can be sent soon.";
  if (limit == "recipient") return "Too many codes were sent to this recipient.";
  if (limit == "user") return "Too many codes were sent for this user.";
  if (limit == "guesses") return "Too many wrong codes for this recipient.";
  if (limit == "ip_guesses") return "Too many wrong codes from this address.";
  if (limit == "captcha") return "Too many captchas were fetched from this address.";
  if (limit == "factor") return "Too many wrong codes for this factor; it is closed for a while.";
  if (limit == "recovery") return "Too many wrong recovery codes; they are closed for a while.";
  return "Too many codes were requested from this address.";
}

std::string_view cap_words(std::string_view limit) {
  if (limit == "country") return "Too many codes were sent to this country.";
  if (limit == "prefix" || limit == "block") return "Too many codes were sent to such numbers.";
  return "Too many codes were sent.";
}

}  // namespace

std::string_view problem_name(ProblemName name) {
  return row(name).name;
}

net::HttpResponse to_response(const Problem& problem) {
  const Row& known = row(problem.name);
  nlohmann::ordered_json body;
  body["type"] = fmt::format("urn:otpd:problem:{}", known.name);
  body["title"] = known.title;
  body["status"] = known.status;
  body["detail"] = problem.detail.empty() ? std::string(known.title) + "." : problem.detail;
  body["error"] = known.name;
  if (!problem.member.empty()) body["member"] = problem.member;
  if (!problem.limit.empty()) body["limit"] = problem.limit;
  if (!problem.scope.empty()) body["scope"] = problem.scope;
  if (problem.attempts_remaining) body["attempts_remaining"] = *problem.attempts_remaining;
  if (problem.requires_new_otp) body["requires_new_otp"] = true;
  if (!problem.checks.empty()) body["checks"] = nlohmann::ordered_json::parse(problem.checks);
  if (!problem.captcha.empty()) body["captcha"] = nlohmann::ordered_json::parse(problem.captcha);

  net::HttpResponse response{known.status, "application/problem+json", {}, problem.headers};
  if (problem.retry_after) {
    body["retry_after"] = problem.retry_after->count();
    response.headers.emplace_back("Retry-After", std::to_string(problem.retry_after->count()));
  }
  if (problem.name == ProblemName::unauthorized &&
      net::count_headers(response.headers, "WWW-Authenticate") == 0) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  response.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return response;
}

Problem problem_of(const Error& error) {
  switch (error.kind) {
    case Failure::overloaded:
      return {.name = ProblemName::overloaded,
              .detail = "The service is at its capacity; nothing was done.",
              .retry_after = Seconds(1)};
    case Failure::unavailable:
    case Failure::timeout:
      return {.name = ProblemName::unavailable,
              .detail = "A part of the service does not answer; try again.",
              .retry_after = Seconds(1)};
    case Failure::invalid:
    case Failure::corrupt:
    case Failure::internal:
      break;
  }
  return {.name = ProblemName::internal, .detail = "The log has it under this request id."};
}

Problem problem_of(const otp::RateLimited& limited) {
  const bool resend = limited.limit == "resend";
  const Millis wait = limited.verdict.retry_after;
  const otp::Limit rule = resend ? otp::Limit{1, whole_seconds(wait)} : limited.rule;
  return {.name = ProblemName::rate_limited,
          .detail = std::string(limit_words(limited.limit)),
          .limit = std::string(limited.limit),
          .retry_after = whole_seconds(wait),
          .headers = rate_limit_headers(limited.limit, rule, 0, wait)};
}

Problem problem_of(const otp::CapReached& reached) {
  const Seconds wait = whole_seconds(reached.retry_after);
  return {.name = ProblemName::rate_limited,
          .detail = std::string(cap_words(reached.limit)),
          .limit = std::string(reached.limit),
          .retry_after = wait,
          .headers = rate_limit_headers(reached.limit, {1, wait}, 0, wait)};
}

net::Headers rate_limit_headers(std::string_view name, const otp::Limit& rule,
                                std::uint32_t remaining, Millis reset) {
  const auto window = std::chrono::ceil<Seconds>(rule.window).count();
  return {{"RateLimit-Policy", fmt::format("\"{}\";q={};w={}", name, rule.max, window)},
          {"RateLimit",
           fmt::format("\"{}\";r={};t={}", name, remaining, whole_seconds(reset).count())}};
}

Problem problem_of_status(int status, std::string_view reason) {
  const auto named = [&](ProblemName name) {
    return Problem{.name = name, .detail = std::string(reason)};
  };
  switch (status) {
    case 408:
      return named(ProblemName::request_timeout);
    case 413:
      return named(ProblemName::payload_too_large);
    case 414:
    case 431:
      return named(ProblemName::header_too_large);
    case 500:
      return named(ProblemName::internal);
    case 503:
      return {.name = ProblemName::unavailable,
              .detail = std::string(reason),
              .retry_after = Seconds(1)};
    default:
      return named(ProblemName::invalid_request);
  }
}

}  // namespace otpd::gateway
