// What is known of a request that cannot be served.
#include "net/request_gist.h"

#include <gtest/gtest.h>

namespace otpd::net {
namespace {

using Known = std::pair<std::string, std::string>;

Known known(const RequestGist& gist) {
  return {gist.path, gist.origin};
}

TEST(RequestGist, AnOriginIsKnownIfThereIsOne) {
  HttpRequest request;
  request.path = "/otp/send";
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", ""));
  request.headers = {{"origin", "https://shop.example"}, {"X-Origin", "https://evil.example"}};
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", "https://shop.example"));
  request.headers.emplace_back("Origin", "https://evil.example");
  EXPECT_EQ(known(gist_of(request)), Known("/otp/send", ""));
}

}  // namespace
}  // namespace otpd::net
