#include "gateway/access.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::gateway {
namespace {

using namespace std::string_literals;

const std::string k_admin_token = "otpa_0123456789abcdef0123456789abcdef";

net::HttpRequest call_from(const std::string& peer, const std::string& host,
                           const std::string& authorization = {}) {
  net::HttpRequest request;
  request.peer = peer;
  request.headers = {{"Host", host}};
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  return request;
}
net::HttpRequest local_call(const std::string& authorization = {}) {
  return call_from("127.0.0.1", "127.0.0.1:8080", authorization);
}
net::HttpRequest remote_call(const std::string& authorization = {}) {
  return call_from("203.0.113.9", "otp.example", authorization);
}

class CallerAccess : public ::testing::Test {
 protected:
  AccessControl with(std::vector<std::string> keys, bool open = false) {
    AccessConfig config;
    for (const std::string& key : keys) {
      config.api_keys.push_back(key + ":" + hex_encode(crypto::sha256("secret of " + key)));
    }
    config.public_application = open;
    config.admin_token = Secret(std::string(k_admin_token));
    config.own_hosts = {"otp.internal"};
    return AccessControl::make(std::move(config)).value();
  }
  // Who it is, or "!<problem>".
  static std::string who(const AccessControl& control, Access access,
                         const net::HttpRequest& request) {
    const auto caller = control.check(access, request, request.peer);
    return caller ? caller->name : "!" + std::string(problem_name(caller.error().name));
  }
};

TEST_F(CallerAccess, WithoutKeysOnlyThisMachineMayCall) {
  const AccessControl control = with({});
  for (const Access access : {Access::application, Access::public_application}) {
    EXPECT_EQ(who(control, access, local_call()), "");
    EXPECT_EQ(who(control, access, call_from("::1", "[::1]:8080")), "");
    EXPECT_EQ(who(control, access, call_from("127.0.0.1", "localhost")), "");
    EXPECT_EQ(who(control, access, call_from("127.0.0.1", "otp.internal:8080")), "");
    EXPECT_EQ(who(control, access, remote_call()), "!unauthorized");
    EXPECT_EQ(who(control, access, call_from("203.0.113.9", "localhost")), "!unauthorized");
  }
}

// A page whose name was rebound to this machine calls under its own name.
TEST_F(CallerAccess, AForeignHostNameIsNotThisMachine) {
  const AccessControl control = with({});
  for (const char* host :
       {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "",
        "[", "[]", "[::1x]", ":8080", "10.0.0.1:8080", "0.0.0.0"}) {
    EXPECT_EQ(who(control, Access::application, call_from("127.0.0.1", host)), "!unauthorized")
        << host;
    EXPECT_EQ(who(control, Access::test, call_from("127.0.0.1", host)), "!forbidden") << host;
  }
}

TEST_F(CallerAccess, WhatAProxyForwardsIsNotThisMachine) {
  const AccessControl control = with({});
  for (const char* field : {"X-Forwarded-For", "Forwarded", "x-forwarded-for"}) {
    net::HttpRequest request = local_call();
    request.headers.emplace_back(field, "127.0.0.1");
    EXPECT_EQ(who(control, Access::application, request), "!unauthorized") << field;
    EXPECT_EQ(who(control, Access::operation, request), "!unauthorized") << field;
    // Sending and verifying are what one puts behind a proxy.
    EXPECT_EQ(who(control, Access::public_application, request), "") << field;
    request.headers[0].second = "evil.example";
    EXPECT_EQ(who(control, Access::public_application, request), "!unauthorized") << field;
  }
}

TEST_F(CallerAccess, WithKeysEverybodyNeedsOne) {
  const AccessControl control = with({"shop", "bank"});
  EXPECT_EQ(who(control, Access::application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::public_application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::application, remote_call("Bearer secret of shop")), "shop");
  EXPECT_EQ(who(control, Access::application, remote_call("bEARER secret of bank")), "bank");
}

TEST_F(CallerAccess, AnythingElseThanAKnownKeyIsRefused) {
  const AccessControl control = with({"shop"}, true);
  for (const char* bad :
       {"Bearer secret of bank", "Bearer secret of shop ", "Bearer  secret of shop",
        "Basic secret of shop", "secret of shop", "Bearersecret of shop"}) {
    EXPECT_EQ(who(control, Access::application, remote_call(bad)), "!unauthorized") << bad;
  }
  // The stored hash itself opens nothing.
  EXPECT_EQ(who(control, Access::application,
                remote_call("Bearer " + hex_encode(crypto::sha256("secret of shop")))),
            "!unauthorized");
}

TEST_F(CallerAccess, OpenToEverybodyMeansSendingAndVerifyingOnly) {
  const AccessControl control = with({"shop"}, true);
  EXPECT_EQ(who(control, Access::public_application, remote_call()), "");
  EXPECT_EQ(who(control, Access::public_application, remote_call("Bearer secret of shop")), "shop");
  EXPECT_EQ(who(control, Access::public_application, remote_call("Bearer wrong")), "!unauthorized");
  EXPECT_EQ(who(control, Access::application, remote_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::operation, remote_call()), "!unauthorized");
}

TEST_F(CallerAccess, TheAdminTokenOpensWhatIsForOperators) {
  const AccessControl control = with({"shop"});
  EXPECT_EQ(who(control, Access::admin, remote_call("Bearer " + k_admin_token)), "admin");
  EXPECT_EQ(who(control, Access::operation, remote_call("Bearer " + k_admin_token)), "operator");
  EXPECT_EQ(who(control, Access::operation, local_call()), "operator");
  for (const std::string& bad : {""s, "Bearer secret of shop"s, "Bearer " + k_admin_token + "x",
                                 "Bearer " + k_admin_token.substr(1), "Basic " + k_admin_token}) {
    EXPECT_EQ(who(control, Access::admin, local_call(bad)), "!unauthorized") << bad;
    EXPECT_EQ(who(control, Access::operation, remote_call(bad)), "!unauthorized") << bad;
  }
  // It is no API key.
  EXPECT_EQ(who(control, Access::application, remote_call("Bearer " + k_admin_token)),
            "!unauthorized");
}

TEST_F(CallerAccess, WithoutAnAdminTokenNobodyIsAdmin) {
  const AccessControl control = AccessControl::make({}).value();
  EXPECT_EQ(who(control, Access::admin, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::admin, local_call("Bearer ")), "!unauthorized");
}

TEST_F(CallerAccess, HealthIsForAnybodyAndTheTestClockForThisMachine) {
  const AccessControl control = with({"shop"});
  EXPECT_EQ(who(control, Access::anybody, remote_call("Bearer wrong")), "");
  EXPECT_EQ(who(control, Access::test, local_call()), "test");
  EXPECT_EQ(who(control, Access::test, remote_call("Bearer " + k_admin_token)), "!forbidden");
}

TEST_F(CallerAccess, AKeyEntryIsANameAndASha256) {
  const std::string hash(64, 'a');
  EXPECT_TRUE(AccessControl::make({.api_keys = {"a:b:" + hash}}));
  for (const std::string& bad : {hash, ":" + hash, "name:"s, "name:" + hash.substr(1),
                                 "name:" + hash + "a", "name:" + std::string(64, 'g')}) {
    const auto made = AccessControl::make({.api_keys = {bad}});
    ASSERT_FALSE(made) << bad;
    EXPECT_FALSE(made.error().message.contains(hash.substr(2)));
  }
}

}  // namespace
}  // namespace otpd::gateway
