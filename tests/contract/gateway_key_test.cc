// API keys through the gateway, where stores fail: what e2e tests cannot provoke.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class GatewayKeys : public GatewayFlow {
 protected:
  Answer admin(const std::string& method, const std::string& path, const std::string& body = {}) {
    net::HttpRequest http = request(method, "/admin/keys" + path, body);
    http.headers.emplace_back("Authorization", "Bearer " + k_admin);
    return ask(std::move(http));
  }
  int introspect(const std::string& secret) {
    net::HttpRequest http = request("POST", "/session/introspect", R"({"token":"x"})");
    if (!secret.empty()) http.headers.emplace_back("Authorization", "Bearer " + secret);
    return ask(std::move(http)).status;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayKeys, k_houses, storage::backend_name);

// The answer to a revocation is a promise about this process.
TEST_P(GatewayKeys, ARevocationThatCannotBeReadBackIsNotAYes) {
  const Answer made = admin("POST", "", R"({"name":"shop"})");
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made.header("Cache-Control"), "no-store");
  const std::string secret = made.body["secret"];
  const std::string path = "/" + made.body["id"].get<std::string>();
  EXPECT_EQ(introspect(secret), 200);
  bool written = false;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    if (operation == Operation::commit) written = true;
    return operation == Operation::load && written ? Fault::before : Fault::none;
  };
  EXPECT_EQ(admin("DELETE", path).status, 503);
  house_.store.script = nullptr;
  EXPECT_EQ(admin("DELETE", path).body["status"], "revoked");
  EXPECT_EQ(introspect(secret), 401);
  EXPECT_EQ(house_.events(type::k_admin_key_revoked).size(), 1U);
}

// A secret that was written is told, or nobody could ever use it.
TEST_P(GatewayKeys, ANewSecretIsToldEvenIfItCannotBeReadBack) {
  bool written = false;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    if (operation == Operation::commit) written = true;
    return operation == Operation::load && written ? Fault::before : Fault::none;
  };
  const Answer made = admin("POST", "", R"({"name":"shop"})");
  ASSERT_EQ(made.status, 201);
  house_.store.script = nullptr;
  EXPECT_EQ(introspect(made.body["secret"]), 401);
  EXPECT_TRUE(storage::await(gateway::refresh(key_book_, api_keys_)).has_value());
  EXPECT_EQ(introspect(made.body["secret"]), 200);
}

TEST_P(GatewayKeys, AProcessThatHasNeverReadThemIsNotReady) {
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  gateway::KeyBook unread{{.base = "default"}};
  gateway::AccessConfig config;
  config.admin_token = Secret(std::string(k_admin));
  const auto access = gateway::AccessControl::make(std::move(config), unread).value();
  gateway_.emplace(service(application(), access, unread));
  const Answer ready = ask("GET", "/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body["checks"]["api_keys"], "failed");
  EXPECT_EQ(introspect("otpk_any"), 503);
  EXPECT_EQ(introspect(""), 401);
  EXPECT_EQ(admin("GET", "").status, 200);
}

// Limits and the audit log count the address that a caller with a key tells; nobody else tells any.
TEST_P(GatewayKeys, OnlyACallerWithAKeySaysWhoseRequestItIs) {
  const std::string body = R"({"phone":"+14155552671","client_ip":"2001:DB8::1"})";
  const Answer refused = send(body);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body["member"], "client_ip");
  const std::string secret = admin("POST", "", R"({"name":"shop"})").body["secret"];
  const auto with_key = [&](const std::string& path, const std::string& json) {
    net::HttpRequest http = request("POST", path, json);
    http.headers.emplace_back("Authorization", "Bearer " + secret);
    return ask(std::move(http));
  };
  EXPECT_EQ(with_key("/otp/send", body).status, 202);
  EXPECT_EQ(house_.events(type::k_send).at(0).ip_address, "2001:db8::1");
  json guess{{"phone", "+14155552671"}, {"code", code()}, {"client_ip", "203.0.113.9:1"}};
  EXPECT_EQ(with_key("/otp/verify", guess.dump()).body["member"], "client_ip");
  guess["client_ip"] = "203.0.113.9";
  EXPECT_EQ(with_key("/otp/verify", guess.dump()).status, 200);
  EXPECT_EQ(house_.events(type::k_verify_success).at(0).ip_address, "203.0.113.9");
}

}  // namespace
}  // namespace otpd::usecase
