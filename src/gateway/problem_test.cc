#include "gateway/problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gateway/static_files.h"

namespace otpd::gateway {
namespace {

using nlohmann::json;

constexpr std::size_t k_problems = static_cast<std::size_t>(ProblemName::unavailable) + 1;

// Every `error` with its `status`, as the contract's schemas state them.
std::map<std::string, int> contract_statuses() {
  const auto files = static_files();
  const auto contract = std::ranges::find(files, "/openapi.yaml", &StaticFile::path);
  std::istringstream lines{std::string(contract->bytes)};
  std::map<std::string, int> statuses;
  int status = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto value = [&](std::string_view name) -> std::string {
      const std::string start = "        " + std::string(name) + ": { const: ";
      if (!line.starts_with(start)) return {};
      return line.substr(start.size(), line.find(' ', start.size()) - start.size());
    };
    if (const auto text = value("status"); !text.empty() && std::isdigit(text[0]) != 0) {
      status = std::stoi(text);
    }
    if (const auto text = value("error"); !text.empty()) statuses[text] = status;
  }
  return statuses;
}

TEST(Problems, HaveTheStatusThatTheContractStates) {
  const auto statuses = contract_statuses();
  for (std::size_t i = 0; i < k_problems; ++i) {
    const auto name = static_cast<ProblemName>(i);
    const auto response = to_response({.name = name});
    const auto stated = statuses.find(std::string(problem_name(name)));
    ASSERT_NE(stated, statuses.end()) << problem_name(name);
    EXPECT_EQ(response.status, stated->second) << problem_name(name);
    const json body = json::parse(response.body);
    EXPECT_EQ(body["error"], problem_name(name));
    EXPECT_EQ(body["status"], response.status);
    EXPECT_EQ(body["type"], "urn:otpd:problem:" + std::string(problem_name(name)));
    EXPECT_FALSE(body["title"].get<std::string>().empty());
    EXPECT_FALSE(body["detail"].get<std::string>().empty());
    EXPECT_EQ(response.content_type, "application/problem+json");
  }
}

TEST(Problems, CarryWhatAClientNeedsToAct) {
  const auto response = to_response({.name = ProblemName::attempts_exhausted,
                                     .detail = "d",
                                     .member = "code",
                                     .limit = "guesses",
                                     .attempts_remaining = 0,
                                     .requires_new_otp = true,
                                     .retry_after = Seconds(7),
                                     .headers = {{"Allow", "GET"}}});
  const json body = json::parse(response.body);
  EXPECT_EQ(body["member"], "code");
  EXPECT_EQ(body["limit"], "guesses");
  EXPECT_EQ(body["attempts_remaining"], 0);
  EXPECT_EQ(body["requires_new_otp"], true);
  EXPECT_EQ(body["retry_after"], 7);
  EXPECT_EQ(net::find_header(response.headers, "Retry-After"), "7");
  EXPECT_EQ(net::find_header(response.headers, "Allow"), "GET");
}

TEST(Problems, SayHowToAuthenticate) {
  EXPECT_EQ(net::find_header(to_response({.name = ProblemName::unauthorized}).headers,
                             "WWW-Authenticate"),
            "Bearer");
}

TEST(Problems, OfFailuresTellNothingOfTheInside) {
  const std::map<Failure, int> statuses = {{Failure::overloaded, 503}, {Failure::unavailable, 503},
                                           {Failure::timeout, 503},    {Failure::invalid, 500},
                                           {Failure::corrupt, 500},    {Failure::internal, 500}};
  for (const auto& [kind, status] : statuses) {
    const auto response = to_response(problem_of(Error{kind, "secret path /var/lib"}));
    EXPECT_EQ(response.status, status);
    EXPECT_FALSE(response.body.contains("secret"));
    EXPECT_EQ(net::count_headers(response.headers, "Retry-After"), status == 503 ? 1U : 0U);
  }
}

TEST(Problems, OfALimitRoundTheWaitUp) {
  otp::RateLimited limited{"recipient", {5, std::chrono::hours(1)}, {}};
  limited.verdict.retry_after = Millis(1'001);
  auto response = to_response(problem_of(limited));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(net::find_header(response.headers, "Retry-After"), "2");
  EXPECT_EQ(net::find_header(response.headers, "RateLimit"), "\"recipient\";r=0;t=2");
  EXPECT_EQ(net::find_header(response.headers, "RateLimit-Policy"), "\"recipient\";q=5;w=3600");
  limited.verdict.retry_after = Millis(1);
  EXPECT_EQ(net::find_header(to_response(problem_of(limited)).headers, "Retry-After"), "1");
}

TEST(Problems, OfTheServerItself) {
  const std::map<int, std::string> names = {{400, "invalid_request"},   {408, "request_timeout"},
                                            {413, "payload_too_large"}, {414, "header_too_large"},
                                            {431, "header_too_large"},  {500, "internal"},
                                            {503, "unavailable"},       {505, "invalid_request"}};
  for (const auto& [status, name] : names) {
    EXPECT_EQ(problem_name(problem_of_status(status, "why").name), name) << status;
  }
}

}  // namespace
}  // namespace otpd::gateway
