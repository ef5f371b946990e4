// Which web pages are this machine, as long as there is no API key.
#include <gtest/gtest.h>

#include "gateway/access.h"

namespace otpd::gateway {
namespace {

net::HttpRequest call_to(const std::string& host) {
  net::HttpRequest request;
  request.peer = "127.0.0.1";
  request.headers = {{"Host", host}};
  return request;
}
net::HttpRequest local_page(const std::string& host, const std::string& origin,
                            const std::string& site = {}) {
  net::HttpRequest request = call_to(host);
  if (!origin.empty()) request.headers.emplace_back("Origin", origin);
  if (!site.empty()) request.headers.emplace_back("Sec-Fetch-Site", site);
  return request;
}

class LocalPages : public ::testing::Test {
 protected:
  LocalPages() { book_.install(book_.begin_load(), {0, {}}); }
  AccessControl with(bool open = false) {
    AccessConfig config;
    config.public_application = open;
    config.own_hosts = {"otp.internal"};
    config.own_origin = "https://otp.internal";
    config.tls = tls_;
    return AccessControl::make(std::move(config), book_).value();
  }
  // Empty for whom it lets through; else "!<problem>".
  static std::string who(const AccessControl& control, Access access,
                         const net::HttpRequest& request) {
    const auto caller = control.check({access, {otp::Scope::send}}, request, request.peer,
                                      TimePoint(Seconds(1'795'310'000)));
    return caller ? "" : "!" + std::string(problem_name(caller.error().name));
  }

  bool tls_ = false;
  KeyBook book_{{.base = "default", .others = {}}};
};

TEST_F(LocalPages, ItsOwnPageIsThisMachine) {
  const AccessControl control = with();
  const std::string origin = "http://localhost:8080";
  for (const Access access : {Access::application, Access::public_application}) {
    EXPECT_EQ(who(control, access, local_page("localhost:8080", origin, "same-origin")), "");
    EXPECT_EQ(who(control, access, local_page("localhost:8080", origin)), "");
    EXPECT_EQ(who(control, access, local_page("localhost:8080", "", "none")), "");
    EXPECT_EQ(who(control, access, local_page("[::1]:8080", "http://[::1]:8080")), "");
    EXPECT_EQ(who(control, access, local_page("127.0.0.1:8080", "https://otp.internal")), "");
  }
  tls_ = true;
  EXPECT_EQ(who(control, Access::application, local_page("localhost", "https://localhost")),
            "!unauthorized");
  EXPECT_EQ(who(with(), Access::application, local_page("localhost", "https://localhost")), "");
}

TEST_F(LocalPages, APageOfAnotherOriginIsNotThisMachine) {
  const AccessControl control = with();
  const auto refused = [&](const net::HttpRequest& request) {
    return who(control, Access::application, request) == "!unauthorized" &&
           who(control, Access::public_application, request) == "!unauthorized" &&
           who(control, Access::operation, request) == "!unauthorized" &&
           who(control, Access::test, request) == "!forbidden";
  };
  const std::string host = "localhost:8080";
  for (const char* origin :
       {"https://evil.example", "null", "http://localhost:3000", "https://localhost:8080",
        "http://localhost", "http://127.0.0.1:8080", "http://localhost:8080.evil.example",
        "http://localhost:8080/", "http://otp.internal", "https://otp.internal:8443"}) {
    EXPECT_TRUE(refused(local_page(host, origin))) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "anything"}) {
    EXPECT_TRUE(refused(local_page(host, "", site))) << site;
    EXPECT_TRUE(refused(local_page(host, "http://localhost:8080", site))) << site;
  }
  net::HttpRequest two = local_page(host, "http://localhost:8080");
  two.headers.emplace_back("Origin", "https://evil.example");
  EXPECT_TRUE(refused(two));
  // What anybody may call, such a page may too.
  EXPECT_EQ(who(with(true), Access::public_application, local_page(host, "null")), "");
}

}  // namespace
}  // namespace otpd::gateway
