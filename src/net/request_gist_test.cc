// What is known of a request that cannot be served.
#include "net/request_gist.h"

#include <gtest/gtest.h>

namespace otpd::net {
namespace {

using Known = std::pair<std::string, std::string>;

Known known(const RequestGist& gist) {
  return {gist.path, gist.origin};
}

TEST(RequestGist, OfAWholeRequest) {
  HttpRequest request;
  request.path = "/otp/send";
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", ""));
  request.headers = {{"origin", "https://shop.example"}, {"X-Origin", "https://evil.example"}};
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", "https://shop.example"));
  request.headers.emplace_back("Origin", "https://evil.example");
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", ""));
}

TEST(RequestGist, OfWhatHasArrived) {
  const std::string line = "POST /otp/send?a=/b HTTP/1.1\r\n";
  const std::string host = "Host: otp.example\r\n";
  const std::string origin = "ORIGIN:\t https://shop.example \r\n";
  const std::vector<std::pair<std::string, Known>> cases{
      {line + host + origin + "X-Request-Id: aaaa", {"/otp/send", "https://shop.example"}},
      {line + origin + host, {"/otp/send", "https://shop.example"}},
      {line + host + origin + "\r\n", {"/otp/send", "https://shop.example"}},
      {line + host, {"/otp/send", ""}},
      {line + host + "Origin: https://shop.exam", {"/otp/send", ""}},
      {line + origin + origin, {"/otp/send", ""}},
      {line + "X-Origin: https://evil.example\r\n", {"/otp/send", ""}},
      {line + host + "\r\n" + origin, {"/otp/send", ""}},  // in the body
      {line + "Origin:\r\n", {"/otp/send", ""}},
      {"POST /otp/se", {"", ""}},
      {"nonsense\r\n", {"", ""}},
      {"\r\n" + line, {"", ""}},
      {"", {"", ""}},
      {std::string("\0\r\n:\r\n", 6), {"", ""}},
  };
  for (const auto& [head, wanted] : cases) EXPECT_EQ(known(gist_of_head(head)), wanted) << head;
}

}  // namespace
}  // namespace otpd::net
