// What must be refused, precisely and without a trace.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class GatewayRefusals : public GatewayFlow {};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayRefusals, k_houses, storage::backend_name);

// None of these costs an attempt or reaches the domain.
TEST_P(GatewayRefusals, WhatIsNoCodeIsRefusedAndCostsNothing) {
  const Answer sent = send();
  const std::string right = code();
  const auto with = [&](const std::string& value) {
    return ask("POST", "/otp/verify", R"({"phone":"+14155552671","code":)" + value + "}");
  };
  for (const std::string& value :
       {std::string("true"), std::string("false"), std::string("null"), std::string("1"),
        right.substr(1), "1" + right.substr(1), std::string("[]"), std::string("{}"),
        "[\"" + right + "\"]", std::string("\"\""), "\"" + right + R"(","code":")" + right + "\"",
        "\"" + right + "\",\"otp\":true", "\"" + right + "\"} ", "\"" + right + "\" 1",
        "\"" + std::string(15'000, '1') + "\""}) {
    EXPECT_EQ(with(value).status, 400) << value.substr(0, 40);
    EXPECT_EQ(with(value).error(), "invalid_request") << value.substr(0, 40);
  }
  for (const std::string& text :
       {" " + right, right + " ", right + "\\n", right + "\\u0000", "\\u0000" + right,
        right.substr(0, 3) + "-" + right.substr(3), right + "," + right, right + right,
        "+" + right.substr(1), std::string("12345"), std::string("abcdef"), std::string("0x1234"),
        std::string("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x93\xef\xbc\x94\xef\xbc\x95\xef\xbc\x96"),
        std::string("      ")}) {
    const Answer answer = with("\"" + text + "\"");
    EXPECT_EQ(answer.status, 400) << text;
    EXPECT_EQ(answer.error(), "invalid_code") << text;
  }
  EXPECT_EQ(ask("POST", "/otp/verify", R"({"phone":"+14155552671"})").body["member"], "code");
  const std::string path = "/otp/" + sent.body["verification_id"].get<std::string>();
  EXPECT_EQ(ask("GET", path).body["attempts_remaining"], 3);
  EXPECT_EQ(verify(right).status, 200);
}

TEST_P(GatewayRefusals, MalformedSendsChangeNothing) {
  for (const char* body :
       {"", "{}", "[]", "{\"phone\":1}", "{\"phone\":\"\"}", "{\"phone\":null}",
        R"({"phone":"+14155552671","email":"a@example.org"})",
        R"({"phone":"+14155552671","phonenumber":"x"})",
        R"({"phone":"+14155552671","phone":"+14155552671"})",
        R"({"phone":"+14155552671","purpose":"nothing"})",
        R"({"phone":"+14155552671","channel":"email"})",
        R"({"phone":"+14155552671","channel":"pigeon"})",
        R"({"phone":"+14155552671","user_id":"me"})",
        R"({"phone":"+14155552671","locale":"not a locale"})",
        R"({"email":"a@example.org","channel":"sms"})", R"({"phone":"+1415555267\u0000"})"}) {
    const Answer answer = send(body);
    EXPECT_EQ(answer.status / 100, 4) << body;
    EXPECT_TRUE(answer.body.contains("error")) << body;
  }
  EXPECT_EQ(send(R"({"phone":"12"})").error(), "invalid_phone");
  EXPECT_EQ(send(R"({"email":"nobody"})").error(), "invalid_email");
  EXPECT_EQ(send(R"({"phone":"+14155552671","channel":"voice"})").error(), "recipient_not_allowed");
  EXPECT_EQ(ask(request("POST", "/otp/send", "phone=1", "text/plain")).error(),
            "unsupported_media_type");
  EXPECT_TRUE(house_.take_all().empty());
  EXPECT_TRUE(house_.world.events().empty());
}

TEST_P(GatewayRefusals, UnknownPathsAndMethods) {
  for (const char* path : {"/", "", "/otp", "/otp/", "/otp/send/", "//otp/send", "/otp/a/b",
                           "/OTP/send", "/otp%2fsend", "/admin/test-clock", "/demo/../main.cc"}) {
    EXPECT_EQ(ask("GET", path).error(), "not_found") << path;
  }
  const Answer get = ask("GET", "/otp/send");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.error(), "method_not_allowed");
  EXPECT_EQ(get.header("Allow"), "POST");
  EXPECT_EQ(ask("POST", "/otp/abc", "{}").header("Allow"), "GET, DELETE");
  EXPECT_EQ(ask("BREW", "/healthz").header("Allow"), "GET");
  EXPECT_EQ(ask("HEAD", "/healthz").status, 200);
  EXPECT_EQ(ask("HEAD", "/otp/send").status, 405);
}

TEST_P(GatewayRefusals, RequestIdsAreEchoedIfTheyAreHarmless) {
  const auto id_for = [&](const std::string& given) {
    net::HttpRequest http = request("GET", "/healthz");
    http.headers.emplace_back("X-Request-Id", given);
    return std::string(ask(std::move(http)).header("X-Request-Id"));
  };
  EXPECT_EQ(id_for("a.B_9-"), "a.B_9-");
  EXPECT_EQ(id_for(std::string(64, 'x')), std::string(64, 'x'));
  for (const std::string& bad : {std::string(65, 'x'), std::string("a b"), std::string("a\r\nb"),
                                 std::string("\"a\""), std::string("\xc3\xa9"), std::string()}) {
    const std::string drawn = id_for(bad);
    EXPECT_NE(drawn, bad);
    EXPECT_EQ(drawn.size(), 16U);
  }
  EXPECT_NE(id_for(""), id_for(""));
  EXPECT_FALSE(ask("GET", "/nowhere").header("X-Request-Id").empty());
}

TEST_P(GatewayRefusals, SessionsRefuseWhatIsNoToken) {
  EXPECT_EQ(ask("POST", "/session/introspect", "{}").body["member"], "token");
  EXPECT_EQ(ask("POST", "/session/introspect", R"({"token":"x"})").body, json({{"active", false}}));
  EXPECT_EQ(ask("POST", "/session/revoke", R"({"token":"x"})").status, 200);
  const auto form = [&](const std::string& body) {
    return ask(request("POST", "/session/introspect", body, "application/x-www-form-urlencoded"));
  };
  for (const char* bad : {"token=%4", "token=%zz", "token=a&token=b", "token", "other=1"}) {
    EXPECT_EQ(form(bad).status, 400) << bad;
  }
  EXPECT_EQ(form("token=%41+b").body, json({{"active", false}}));
  EXPECT_EQ(ask("GET", "/users/me/sessions").body["member"], "user_id");
  EXPECT_EQ(ask("POST", "/users/me/logout").body["member"], "user_id");
}

}  // namespace
}  // namespace otpd::usecase
