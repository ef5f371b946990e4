#include "gateway/access.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::gateway {
namespace {

using namespace std::string_literals;

constexpr TimePoint k_access_now{Seconds(1'795'310'000)};
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
    return AccessControl::make(std::move(config), book_).value();
  }
  // The book has these keys; version 0: there has never been one.
  void know(std::vector<otp::ApiKey> keys, std::uint64_t version = 1) {
    book_.install(book_.begin_load(), {version, std::move(keys)});
  }
  static otp::ApiKey key_of(const std::string& name, otp::Scopes scopes,
                            const std::string& application = "default") {
    otp::ApiKey key{.id = name, .name = name, .application = application};
    key.scopes = scopes;
    key.secret_hash = crypto::sha256("secret of " + name);
    return key;
  }
  // Who it is, or "!<problem>".
  static std::string who(const AccessControl& control, Access access,
                         const net::HttpRequest& request, otp::Scopes scopes = {otp::Scope::send}) {
    const auto caller = control.check({access, scopes}, request, request.peer, k_access_now);
    return caller ? caller->name : "!" + std::string(problem_name(caller.error().name));
  }
  static std::string asked_for(const AccessControl& control, Access access,
                               const net::HttpRequest& request, otp::Scopes scopes = {}) {
    const auto caller = control.check({access, scopes}, request, request.peer, k_access_now);
    if (caller) return "nothing";
    const auto response = to_response(caller.error());
    return std::string(net::find_header(response.headers, "WWW-Authenticate"));
  }

  KeyBook book_{{.base = "default", .others = {"bank"}}};
};

// A book that has been read, and there has never been a key.
class FreshAccess : public CallerAccess {
 protected:
  FreshAccess() { know({}, 0); }
};

TEST_F(FreshAccess, WithoutKeysOnlyThisMachineMayCall) {
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
TEST_F(FreshAccess, AForeignHostNameIsNotThisMachine) {
  const AccessControl control = with({});
  for (const char* host :
       {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "",
        "[", "[]", "[::1x]", ":8080", "10.0.0.1:8080", "0.0.0.0"}) {
    EXPECT_EQ(who(control, Access::application, call_from("127.0.0.1", host)), "!unauthorized")
        << host;
    EXPECT_EQ(who(control, Access::test, call_from("127.0.0.1", host)), "!forbidden") << host;
  }
}

TEST_F(FreshAccess, WhatAProxyForwardsIsNotThisMachine) {
  const AccessControl control = with({});
  for (const char* field : {"X-Forwarded-For", "Forwarded", "x-forwarded-for"}) {
    net::HttpRequest request = local_call();
    request.headers.emplace_back(field, "127.0.0.1");
    for (const Access access :
         {Access::application, Access::public_application, Access::operation}) {
      EXPECT_EQ(who(control, access, request), "!unauthorized") << field;
    }
    EXPECT_EQ(who(with({}, true), Access::public_application, request), "") << field;
  }
}

TEST_F(FreshAccess, WithKeysEverybodyNeedsOne) {
  const AccessControl control = with({"shop", "bank"});
  EXPECT_EQ(who(control, Access::application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::public_application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::application, remote_call("Bearer secret of shop")), "shop");
  EXPECT_EQ(who(control, Access::application, remote_call("bEARER secret of bank")), "bank");
}

TEST_F(FreshAccess, AnythingElseThanAKnownKeyIsRefused) {
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

TEST_F(FreshAccess, OpenToEverybodyMeansSendingAndVerifyingOnly) {
  const AccessControl control = with({"shop"}, true);
  EXPECT_EQ(who(control, Access::public_application, remote_call()), "");
  EXPECT_EQ(who(control, Access::public_application, remote_call("Bearer secret of shop")), "shop");
  EXPECT_EQ(who(control, Access::public_application, remote_call("Bearer wrong")), "!unauthorized");
  EXPECT_EQ(who(control, Access::application, remote_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::operation, remote_call()), "!unauthorized");
}

TEST_F(FreshAccess, UsersAreSpokenForByAKeyOrByThisMachineWhileThereIsNone) {
  const auto speaks = [](const AccessControl& control, const net::HttpRequest& request) {
    return control
        .check({Access::public_application, {otp::Scope::send}}, request, request.peer,
               k_access_now)
        ->speaks_for_users;
  };
  EXPECT_TRUE(speaks(with({}), local_call()));
  net::HttpRequest forwarded = local_call();
  forwarded.headers.emplace_back("X-Forwarded-For", "203.0.113.9");
  EXPECT_FALSE(speaks(with({}, true), forwarded));
  EXPECT_FALSE(speaks(with({}, true), remote_call()));
  EXPECT_FALSE(speaks(with({}, true), local_call()));  // perhaps from behind a proxy
  EXPECT_TRUE(speaks(with({"shop"}, true), remote_call("Bearer secret of shop")));
}

TEST_F(FreshAccess, TheAdminTokenOpensWhatIsForOperators) {
  const AccessControl control = with({"shop"});
  EXPECT_EQ(who(control, Access::admin, remote_call("Bearer " + k_admin_token)), "admin");
  EXPECT_EQ(who(control, Access::operation, remote_call("Bearer " + k_admin_token)), "admin");
  EXPECT_EQ(who(control, Access::operation, local_call()), "operator");
  EXPECT_EQ(who(control, Access::admin, local_call("Bearer secret of shop")), "!forbidden");
  for (const std::string& bad : {""s, "Bearer secret of bank"s, "Bearer " + k_admin_token + "x",
                                 "Bearer " + k_admin_token.substr(1), "Basic " + k_admin_token}) {
    EXPECT_EQ(who(control, Access::admin, local_call(bad)), "!unauthorized") << bad;
    EXPECT_EQ(who(control, Access::operation, remote_call(bad)), "!unauthorized") << bad;
  }
  // It is no API key.
  EXPECT_EQ(who(control, Access::application, remote_call("Bearer " + k_admin_token)),
            "!unauthorized");
}

TEST_F(FreshAccess, WithoutAnAdminTokenNobodyIsAdmin) {
  const AccessControl control = AccessControl::make({}, book_).value();
  EXPECT_EQ(who(control, Access::admin, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::admin, local_call("Bearer ")), "!unauthorized");
}

TEST_F(FreshAccess, HealthIsForAnybodyAndTheTestClockForThisMachine) {
  const AccessControl control = with({"shop"});
  EXPECT_EQ(who(control, Access::anybody, remote_call("Bearer wrong")), "");
  EXPECT_EQ(who(control, Access::test, local_call()), "test");
  EXPECT_EQ(who(control, Access::test, remote_call("Bearer " + k_admin_token)), "!forbidden");
}

TEST_F(FreshAccess, AKeyEntryIsANameAndASha256) {
  const std::string hash(64, 'a');
  for (const char* name : {"a", "default/a", "bank/a"}) {
    EXPECT_TRUE(AccessControl::make({.api_keys = {name + (":" + hash)}}, book_)) << name;
  }
  for (const std::string& bad :
       {hash, ":" + hash, "name:"s, "name:" + hash.substr(1), "name:" + hash + "a",
        "name:" + std::string(64, 'g'), "shut/name:" + hash, "bank/:" + hash, "/name:" + hash}) {
    const auto made = AccessControl::make({.api_keys = {bad}}, book_);
    ASSERT_FALSE(made) << bad;
    EXPECT_FALSE(made.error().message.contains(hash.substr(2)));
  }
}

TEST_F(FreshAccess, AConfiguredKeyBelongsToItsApplicationAndIsNotForAdmin) {
  const AccessControl control = with({"shop", "bank/teller", "default/clerk"});
  const auto application = [&](const std::string& name) {
    const auto caller = control.check({Access::application, {otp::Scope::factors}},
                                      remote_call("Bearer secret of " + name), "", k_access_now);
    return caller ? caller->name + "@" + caller->application : "refused";
  };
  EXPECT_EQ(application("shop"), "shop@");
  EXPECT_EQ(application("bank/teller"), "teller@bank");
  EXPECT_EQ(application("default/clerk"), "clerk@");
  EXPECT_EQ(who(control, Access::admin, remote_call("Bearer secret of shop")), "!forbidden");
}

TEST_F(CallerAccess, TheFirstKeyOfTheBookEndsTheOpenness) {
  const AccessControl control = with({});
  EXPECT_EQ(who(control, Access::application, local_call()), "!unauthorized");  // not read yet
  know({}, 0);
  EXPECT_EQ(who(control, Access::application, local_call()), "");
  know({}, 1);  // there was one once
  EXPECT_EQ(who(control, Access::application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::public_application, local_call()), "!unauthorized");
  EXPECT_EQ(who(control, Access::operation, local_call()), "operator");
}

TEST_F(CallerAccess, AKeyOpensWhatItsScopesSay) {
  know({key_of("sender", {otp::Scope::send}), key_of("boss", {otp::Scope::admin}),
        key_of("both", {otp::Scope::send, otp::Scope::sessions}, "bank")});
  const AccessControl control = with({});
  const auto with_key = [](const char* name) { return remote_call("Bearer secret of "s + name); };
  for (std::size_t i = 0; i < otp::k_scope_names.size(); ++i) {
    const auto scope = static_cast<otp::Scope>(i);
    for (const Access access : {Access::application, Access::public_application}) {
      const bool sends = scope == otp::Scope::send;
      const bool both = sends || scope == otp::Scope::sessions;
      EXPECT_EQ(who(control, access, with_key("sender"), {scope}), sends ? "sender" : "!forbidden");
      EXPECT_EQ(who(control, access, with_key("both"), {scope}), both ? "both" : "!forbidden");
    }
  }
  EXPECT_EQ(
      who(control, Access::application, with_key("sender"), {otp::Scope::verify, otp::Scope::send}),
      "sender");
  for (const Access access : {Access::admin, Access::operation}) {
    EXPECT_EQ(who(control, access, with_key("boss")), "boss");
    EXPECT_EQ(who(control, access, with_key("sender")), "!forbidden");
  }
  EXPECT_EQ(asked_for(control, Access::application, with_key("sender"),
                      {otp::Scope::verify, otp::Scope::sessions}),
            "Bearer error=\"insufficient_scope\", scope=\"verify sessions\"");
}

// However it came by the scope.
TEST_F(CallerAccess, AnotherApplicationsKeyIsNoAdmin) {
  know({key_of("boss", {otp::Scope::admin}, "bank")});
  const AccessControl control = with({});
  EXPECT_EQ(who(control, Access::admin, remote_call("Bearer secret of boss")), "!forbidden");
  EXPECT_EQ(who(control, Access::operation, remote_call("Bearer secret of boss")), "!forbidden");
}

TEST_F(CallerAccess, EndedKeysAreLikeUnknownOnes) {
  otp::ApiKey expired = key_of("old", otp::k_usual_scopes);
  expired.expires_at = k_access_now;
  otp::ApiKey revoked = key_of("out", otp::k_usual_scopes);
  revoked.revoked_at = k_access_now - Seconds(1);
  know({expired, revoked});
  const AccessControl control = with({}, true);
  for (const char* name : {"old", "out", "nobody"}) {
    const auto request = remote_call("Bearer secret of "s + name);
    const auto caller = control.check({Access::application, {otp::Scope::send}}, request,
                                      request.peer, k_access_now);
    ASSERT_FALSE(caller) << name;
    EXPECT_EQ(caller.error().detail, "This API key is not known, or no longer.");
    EXPECT_EQ(asked_for(control, Access::public_application, request),
              "Bearer error=\"invalid_token\"");
  }
  EXPECT_EQ(asked_for(control, Access::application, remote_call()), "Bearer");
}

TEST_F(CallerAccess, WhileTheBookIsEmptyOnlyConfiguredKeysAndTheAdminTokenOpen) {
  const AccessControl control = with({"shop"}, true);
  EXPECT_EQ(who(control, Access::application, remote_call("Bearer secret of shop")), "shop");
  EXPECT_EQ(who(control, Access::admin, remote_call("Bearer " + k_admin_token)), "admin");
  EXPECT_EQ(who(control, Access::public_application, remote_call()), "");
  for (const Access access : {Access::application, Access::public_application, Access::admin}) {
    EXPECT_EQ(who(control, access, remote_call("Bearer secret of other")), "!unavailable");
  }
}

TEST_F(FreshAccess, TheKeysOfTheConfigurationCanBeListed) {
  const auto control = with({"web", "bank/teller", "default/app"});
  std::vector<std::string> listed;
  for (const KnownKey& key : control.configured_keys()) {
    listed.push_back(key.application + "/" + key.name);
    EXPECT_EQ(key.scopes.names(), otp::k_usual_scopes.names());
  }
  EXPECT_EQ(listed, (std::vector<std::string>{"/app", "/web", "bank/teller"}));
}

constexpr const char* k_bank_page = "https://bank.example";
constexpr const char* k_mute_page = "https://mute.example";

net::HttpRequest from_page(net::HttpRequest request, const std::string& origin) {
  request.headers.emplace_back("Origin", origin);
  return request;
}

class PageAccess : public FreshAccess {
 protected:
  // The applications bank, which is public, and mute, which is not, with a page each.
  AccessControl with_pages(bool base_is_public) {
    AccessConfig config;
    config.public_application = base_is_public;
    config.admin_token = Secret(std::string(k_admin_token));
    config.api_keys = {"web:" + hex_encode(crypto::sha256("secret of web"))};
    config.cors = Cors({"https://base.example"});
    config.cors.add("bank", {k_bank_page});
    config.cors.add("mute", {k_mute_page});
    config.public_others = {"bank"};
    return AccessControl::make(std::move(config), book_).value();
  }
  // For which application, "base", or the refusal.
  static std::string whose(const AccessControl& control, const net::HttpRequest& request,
                           Access access = Access::public_application) {
    const auto caller =
        control.check({access, {otp::Scope::send}}, request, request.peer, k_access_now);
    if (!caller) return "!" + std::string(problem_name(caller.error().name));
    return caller->application.empty() ? "base" : caller->application;
  }
};

TEST_F(PageAccess, APageWithoutAKeyCallsForTheApplicationThatHasItsOrigin) {
  const auto open = with_pages(true);
  EXPECT_EQ(whose(open, from_page(remote_call(), k_bank_page)), "bank");
  EXPECT_EQ(whose(open, remote_call()), "base");
  EXPECT_EQ(whose(open, from_page(remote_call(), "https://base.example")), "base");
  EXPECT_EQ(whose(open, from_page(remote_call(), "https://any.example")), "base");
  auto two = from_page(from_page(remote_call(), k_bank_page), k_mute_page);
  EXPECT_EQ(whose(open, two), "base");
  const auto closed = with_pages(false);
  EXPECT_EQ(whose(closed, from_page(remote_call(), k_bank_page)), "bank");
  EXPECT_EQ(whose(closed, remote_call()), "!unauthorized");
  EXPECT_EQ(whose(closed, from_page(remote_call(), "https://base.example")), "!unauthorized");
}

TEST_F(PageAccess, AnOriginOpensNothingThatIsNotPublic) {
  for (const bool base_is_public : {false, true}) {
    const auto control = with_pages(base_is_public);
    EXPECT_EQ(whose(control, from_page(remote_call(), k_mute_page)), "!unauthorized");
    EXPECT_EQ(whose(control, from_page(local_call(), k_mute_page)), "!unauthorized");
    EXPECT_EQ(whose(control, from_page(remote_call(), k_bank_page), Access::application),
              "!unauthorized");
    EXPECT_EQ(whose(control, from_page(remote_call(), k_bank_page), Access::admin),
              "!unauthorized");
  }
}

TEST_F(PageAccess, AKeySaysMoreThanAPage) {
  const auto control = with_pages(true);
  const std::string key = "Bearer secret of web";
  EXPECT_EQ(whose(control, from_page(remote_call(key), k_bank_page)), "base");
  EXPECT_EQ(whose(control, from_page(remote_call("Bearer unknown"), k_bank_page)), "!unauthorized");
}

// Nothing has a key yet: this machine may call, but not for an application that is not public.
TEST_F(PageAccess, APageOnThisMachineIsNoExceptionWhereNothingHasAKey) {
  AccessConfig config;
  config.cors.add("mute", {k_mute_page});
  const auto control = AccessControl::make(std::move(config), book_).value();
  EXPECT_EQ(whose(control, local_call()), "base");
  EXPECT_EQ(whose(control, from_page(local_call(), k_mute_page)), "!unauthorized");
}

}  // namespace
}  // namespace otpd::gateway
