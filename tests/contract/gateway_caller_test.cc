// What callers with a key say of the user whose request it is: address and device.
#include "base/encoding.h"
#include "captcha_solving.h"
#include "gateway_flow.h"
#include "otp/oath.h"

namespace otpd::usecase {
namespace {

constexpr const char* k_client = "203.0.113.9";

class GatewayCallers : public GatewayFlow {
 protected:
  GatewayCallers() {
    net::HttpRequest http = request("POST", "/admin/keys", R"({"name":"shop"})");
    http.headers.emplace_back("Authorization", "Bearer " + k_admin);
    secret_ = ask(std::move(http)).body.at("secret");
  }
  Answer with_key(const std::string& method, const std::string& target,
                  const json& body = json::object()) {
    net::HttpRequest http = request(method, target, body.empty() ? std::string() : body.dump());
    http.headers.emplace_back("Authorization", "Bearer " + secret_);
    return ask(std::move(http));
  }
  Answer send_for(const std::string& client, const std::string& captcha = {}) {
    json body{{"phone", k_phone}, {"client_ip", client}};
    if (!captcha.empty()) body["captcha"] = captcha;
    return with_key("POST", "/otp/send", body);
  }
  // A factor in use; its code is as good as new.
  std::string enrol() {
    const Answer made = with_key("POST", k_user_path + "/factors", {{"type", "totp"}});
    const auto bytes = base32_decode(made.body.at("secret").get<std::string>()).value();
    app_secret_ = bytes;
    const std::string path =
        k_user_path + "/factors/" + made.body.at("factor_id").get<std::string>();
    EXPECT_EQ(with_key("POST", path + "/confirm", {{"code", app_code()}}).status, 200);
    house_.world.clock.advance(Seconds(30));
    return path;
  }
  std::string app_code() {
    return std::string(
        otp::oath_code({}, app_secret_, otp::time_step({}, house_.world.clock.now())).reveal());
  }
  // The sessions of the user, by device.
  std::string devices() {
    std::string all;
    for (const json& one : with_key("GET", k_user_path + "/sessions").body.at("sessions")) {
      all += one.value("device", "-") + ";";
    }
    return all;
  }

  static inline const std::string k_user_path = std::string("/users/") + k_user;
  std::string secret_;
  std::string app_secret_;
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayCallers, k_houses, storage::backend_name);

TEST_P(GatewayCallers, ACaptchaIsBoundToTheAddressThatTheServerNames) {
  house_.rules.limits.friction = {.captcha_cost = 100, .captcha_work = 10};
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(send_for(k_client).status, 202);
    house_.world.clock.advance(Seconds(30));
  }
  const std::string target = "/captcha?client_ip=";
  const Answer others = with_key("GET", target + "203.0.113.10");
  EXPECT_EQ(send_for(k_client, solve(others.body)).error(), "captcha_required");
  const Answer fresh = with_key("GET", target + k_client);
  ASSERT_EQ(fresh.status, 200);
  EXPECT_EQ(send_for(k_client, solve(fresh.body)).status, 202);
  EXPECT_EQ(with_key("GET", target + "here").body.value("member", ""), "client_ip");
}

TEST_P(GatewayCallers, FetchingThemIsLimitedForEachUser) {
  house_.rules.limits.ip_captchas = {1, Seconds(600)};
  for (const char* version : {"1", "2"}) {
    const std::string target = std::string("/captcha?version=") + version + "&client_ip=";
    EXPECT_EQ(with_key("GET", target + "203.0.113.1" + version).status, 200);
    EXPECT_EQ(with_key("GET", target + "203.0.113.1" + version).status, 429);
  }
  ASSERT_EQ(house_.events(type::k_limited).size(), 2U);
  EXPECT_TRUE(house_.events(type::k_limited)[0].ip_address.starts_with("203.0.113.1"));
}

TEST_P(GatewayCallers, ASessionByAnAppHasADeviceAndTheUsersAddress) {
  const std::string factor = enrol();
  const Answer opened = with_key("POST", factor + "/verify",
                                 {{"code", app_code()},
                                  {"session", true},
                                  {"device", "Ada's phone"},
                                  {"client_ip", k_client}});
  ASSERT_EQ(opened.status, 200) << opened.body;
  EXPECT_EQ(devices(), "Ada's phone;");
  for (const auto type : {type::k_factor_verify_success, type::k_session_opened}) {
    EXPECT_EQ(house_.events(type).at(0).ip_address, k_client) << type;
  }
  const Answer token =
      with_key("POST", "/session/introspect", {{"token", opened.body.at("session_token")}});
  EXPECT_EQ(token.body.value("device", ""), "Ada's phone");
}

TEST_P(GatewayCallers, ASessionByARecoveryCodeLikewise) {
  const json codes = with_key("POST", k_user_path + "/recovery-codes").body.at("recovery_codes");
  const std::string target = k_user_path + "/recovery-codes/verify";
  json guess{{"code", codes[0]}, {"session", true}, {"device", "Büro-PC"}, {"client_ip", k_client}};
  EXPECT_EQ(with_key("POST", target, guess).status, 200);
  EXPECT_EQ(devices(), "Büro-PC;");
  for (const auto type : {type::k_factor_recovery_used, type::k_session_opened}) {
    EXPECT_EQ(house_.events(type).at(0).ip_address, k_client) << type;
  }
  for (const auto& [member, bad] : {std::pair("device", "a\nb"), std::pair("client_ip", "here")}) {
    guess = {{"code", codes[1]}, {"session", true}};
    guess[member] = bad;
    EXPECT_EQ(with_key("POST", target, guess).body.value("member", ""), member);
  }
}

TEST_P(GatewayCallers, WhatEndsSomethingTakesNoBody) {
  const std::string sent =
      "/otp/" + send_for(k_client).body.at("verification_id").get<std::string>();
  for (const std::string& target : {sent, std::string("/admin/keys/0123456789abcdef")}) {
    for (const char* body : {R"({"now":true})", "[]", "x"}) {
      net::HttpRequest http = request("DELETE", target, body);
      const bool admin = target.starts_with("/admin");
      http.headers.emplace_back("Authorization", "Bearer " + (admin ? k_admin : secret_));
      EXPECT_EQ(ask(std::move(http)).error(), "invalid_request") << target << body;
    }
  }
  EXPECT_EQ(with_key("GET", sent).body.at("status"), "queued");
  EXPECT_EQ(with_key("DELETE", sent).body.at("status"), "canceled");
}

}  // namespace
}  // namespace otpd::usecase
