// The gateway end to end, without sockets: a request in, an answer out, over a real backend.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

class GatewayAnswers : public GatewayFlow {
 protected:
  Answer verify_from(const std::string& ip, const std::string& code) {
    net::HttpRequest http =
        request("POST", "/otp/verify", json{{"phone", "+14155552671"}, {"code", code}}.dump());
    http.peer = ip;
    return ask(std::move(http));
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayAnswers, k_houses, storage::backend_name);

TEST_P(GatewayAnswers, SendVerifyIntrospectRevoke) {
  const Answer sent = send();
  ASSERT_EQ(sent.status, 202);
  EXPECT_EQ(sent.body["status"], "queued");
  EXPECT_EQ(sent.body["channel"], "sms");
  EXPECT_EQ(sent.body["expires_in"], 300);
  EXPECT_EQ(sent.body["attempts_remaining"], 3);
  EXPECT_EQ(sent.body["resend_after"], 30);
  EXPECT_EQ(sent.header("RateLimit"), "\"recipient\";r=4;t=3600");
  const std::string id = sent.body["verification_id"];
  EXPECT_LT(id.size(), 64U);

  const std::string right = code();
  const Answer wrong = verify(other_code(right));
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.error(), "invalid_otp");
  EXPECT_EQ(wrong.body["attempts_remaining"], 2);

  const Answer verified = verify(right);
  ASSERT_EQ(verified.status, 200);
  EXPECT_EQ(verified.body["verification_id"], id);
  EXPECT_EQ(verified.header("Cache-Control"), "no-store");
  const Answer again = verify(right);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.http.body, verified.http.body);
  EXPECT_EQ(verify_from("127.0.0.2", right).status, 410);
  house_.world.clock.advance(Seconds(10));
  EXPECT_EQ(verify(right).status, 410);
  EXPECT_EQ(ask("GET", "/otp/" + id).body["status"], "approved");

  const std::string token = verified.body["session_token"];
  const json body{{"token", token}};
  EXPECT_EQ(ask("POST", "/session/introspect", body.dump()).body["active"], true);
  const auto form = request("POST", "/session/introspect", "token=" + token + "&token_type_hint=x",
                            "Application/X-WWW-Form-Urlencoded; charset=utf-8");
  const Answer active = ask(form);
  EXPECT_EQ(active.body["active"], true);
  EXPECT_EQ(active.body["sub"], verified.body["user_id"]);
  EXPECT_EQ(active.body["exp"].get<int>() - active.body["iat"].get<int>(), 86'400);

  const std::string user = verified.body["user_id"];
  EXPECT_EQ(ask("GET", "/users/" + user + "/sessions").body["sessions"].size(), 1U);
  EXPECT_EQ(ask("POST", "/session/revoke", body.dump()).status, 200);
  EXPECT_EQ(ask("POST", "/session/introspect", body.dump()).body, json({{"active", false}}));
  EXPECT_EQ(ask("POST", "/users/" + user + "/logout").body["revoked"], 0);
}

TEST_P(GatewayAnswers, TheThirdWrongCodeAndEverythingAfterItIsExhausted) {
  send();
  const std::string right = code();
  verify(other_code(right));
  verify(other_code(right));
  for (const std::string& guess : {other_code(right), right}) {
    const Answer answer = verify(guess);
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.error(), "attempts_exhausted");
    EXPECT_EQ(answer.body["attempts_remaining"], 0);
    EXPECT_EQ(answer.body["requires_new_otp"], true);
  }
}

TEST_P(GatewayAnswers, ALimitIsAnsweredWithItsWait) {
  send();
  const Answer again = send();
  EXPECT_EQ(again.status, 429);
  EXPECT_EQ(again.error(), "rate_limited");
  EXPECT_EQ(again.body["limit"], "resend");
  EXPECT_EQ(again.header("Retry-After"), "30");
}

TEST_P(GatewayAnswers, NoAnswerHasTheCodeOrTheAddress) {
  std::string answers;
  const Answer sent = send();
  const std::string right = code();
  answers += sent.http.body + verify(other_code(right)).http.body;
  answers += ask("GET", "/otp/" + sent.body["verification_id"].get<std::string>()).http.body;
  answers += verify(right).http.body + ask("GET", "/metrics").http.body;
  answers += ask_admin("/admin/events").http.body + ask_admin("/admin/dead-letters").http.body;
  EXPECT_FALSE(answers.contains("\"" + right));
  EXPECT_FALSE(answers.contains("4155552671"));
}

TEST_P(GatewayAnswers, CancelAndStatus) {
  const std::string path = "/otp/" + send().body["verification_id"].get<std::string>();
  EXPECT_EQ(ask("GET", path).body["status"], "queued");
  const Answer canceled = ask("DELETE", path);
  EXPECT_EQ(canceled.status, 200);
  EXPECT_EQ(canceled.body["status"], "canceled");
  EXPECT_EQ(ask("DELETE", path).body["status"], "canceled");
  EXPECT_EQ(verify("123456").status, 410);
  for (const std::string& other : {std::string("/otp/x"), "/otp/" + std::string(38, 'A')}) {
    EXPECT_EQ(ask("GET", other).error(), "not_found");
    EXPECT_EQ(ask("DELETE", other).error(), "not_found");
  }
}

TEST_P(GatewayAnswers, TransactionsAreBoundToTheirContext) {
  const std::string body = R"({"phone":"+14155552671","purpose":"transaction")";
  const std::string context = R"(,"context":{"amount":"12.50","currency":"EUR","payee":"Bakery"})";
  EXPECT_EQ(send(body + "}").body["member"], "context");
  EXPECT_EQ(send(R"({"phone":"+14155552671")" + context + "}").body["member"], "context");
  EXPECT_EQ(send(body + R"(,"context":{"amount":12.5,"currency":"EUR","payee":"a"}})").error(),
            "invalid_request");
  ASSERT_EQ(send(body + context + "}").status, 202);
  const std::string right = R"(,"code":")" + code() + "\"}";
  EXPECT_EQ(ask("POST", "/otp/verify",
                body + R"(,"context":{"amount":"12.51","currency":"EUR","payee":"Bakery"})" + right)
                .status,
            410);
  const Answer verified = ask("POST", "/otp/verify", body + context + right);
  EXPECT_EQ(verified.status, 200);
  EXPECT_FALSE(verified.body.contains("session_token"));
}

TEST_P(GatewayAnswers, ALinkTokenVerifiesByItself) {
  send(R"({"phone":"+14155552671","purpose":"password_reset"})");
  const std::string token(house_.take_all().at(0).link_token.reveal());
  const auto with = [&](json body) { return ask("POST", "/otp/verify", body.dump()); };
  EXPECT_EQ(with({{"token", token}, {"code", "123456"}}).body["member"], "code");
  EXPECT_EQ(with({{"token", "x"}}).error(), "invalid_code");
  EXPECT_EQ(with({{"token", token}}).status, 200);
  EXPECT_EQ(with({{"token", token}}).status, 200);
  house_.world.clock.advance(Seconds(10));
  EXPECT_EQ(with({{"token", token}}).status, 410);
}

TEST_P(GatewayAnswers, IdempotencyKeysComeInTheFieldOrTheMember) {
  const auto with = [&](const std::string& field, const std::string& member) {
    json body{{"phone", "+14155552671"}};
    if (!member.empty()) body["idempotency_key"] = member;
    net::HttpRequest http = request("POST", "/otp/send", body.dump());
    if (!field.empty()) http.headers.emplace_back("Idempotency-Key", field);
    return ask(std::move(http));
  };
  const json first = with("key-1", "").body;
  EXPECT_EQ(with("\"key-1\"", "").body, first);
  EXPECT_EQ(with("", "key-1").body, first);
  EXPECT_EQ(with("key-1", "key-1").body, first);
  EXPECT_EQ(with("key-1", "key-2").error(), "invalid_request");
  EXPECT_EQ(with("a b", "").error(), "invalid_request");
  EXPECT_EQ(with("", std::string(256, 'k')).error(), "invalid_request");
  net::HttpRequest other = request("POST", "/otp/send", R"({"phone":"+14155550100"})");
  other.headers.emplace_back("Idempotency-Key", "key-1");
  EXPECT_EQ(ask(std::move(other)).error(), "idempotency_key_reused");
  EXPECT_EQ(house_.take_all().size(), 1U);
}

TEST_P(GatewayAnswers, BeyondItsCapacityItRefusesAtOnce) {
  open(0);
  const Answer answer = ask("GET", "/healthz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error(), "overloaded");
  EXPECT_EQ(answer.header("Retry-After"), "1");
  open(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_P(GatewayAnswers, StrangersNeedAKey) {
  for (const auto& [method, path] : {std::pair{"POST", "/otp/send"},
                                     {"POST", "/otp/verify"},
                                     {"GET", "/otp/abc"},
                                     {"DELETE", "/otp/abc"},
                                     {"POST", "/session/introspect"},
                                     {"POST", "/session/revoke"},
                                     {"POST", "/session/rotate"},
                                     {"DELETE", "/users/x/sessions/y"},
                                     {"POST", "/users/x/logout"},
                                     {"GET", "/users/x/sessions"},
                                     {"GET", "/metrics"},
                                     {"GET", "/admin/events"},
                                     {"GET", "/admin/dead-letters"}}) {
    net::HttpRequest http = request(method, path, "{}");
    http.peer = "203.0.113.9";
    const Answer answer = ask(std::move(http));
    EXPECT_EQ(answer.status, 401) << path;
    EXPECT_EQ(answer.header("WWW-Authenticate"), "Bearer") << path;
  }
  EXPECT_EQ(ask("GET", "/admin/events").status, 401);  // this machine is no admin
}

TEST_P(GatewayAnswers, OperatorsSeeEventsAndDeadLetters) {
  send();
  const auto jobs = house_.world.take();
  // A carrier's answer need not be UTF-8.
  house_.world.append(
      {.finish = {storage::end_of(jobs.at(0), otp::JobEnd::How::dead, {}, "a\xff")}});
  const Answer letters = ask_admin("/admin/dead-letters?limit=5");
  ASSERT_EQ(letters.status, 200);
  EXPECT_EQ(letters.body["dead_letters"].at(0)["reason"], "a\xef\xbf\xbd");
  EXPECT_EQ(ask_admin("/admin/events?event_type=send").body["events"].size(), 1U);
  EXPECT_EQ(ask_admin("/admin/events?event_type=sent").body["events"].size(), 0U);
  for (const char* bad : {"limit=0", "limit=1001", "limit=x", "from=-1", "nothing=1", "a=%"}) {
    EXPECT_EQ(ask_admin(std::string("/admin/events?") + bad).status, 400) << bad;
  }
}

TEST_P(GatewayAnswers, HealthReadinessAndTheContract) {
  EXPECT_EQ(ask("GET", "/healthz").body["status"], "ok");
  EXPECT_EQ(ask("GET", "/readyz").body["status"], "ready");
  EXPECT_TRUE(ask("GET", "/openapi.yaml").http.body.starts_with("openapi: 3.1"));
  EXPECT_TRUE(ask("GET", "/demo").header("Content-Security-Policy").contains("default-src 'none'"));
  EXPECT_EQ(ask("GET", "/demo/nothing.js").status, 404);
}

TEST_P(GatewayAnswers, TheTestClockIsThereOnlyWhenAskedFor) {
  open(100, &house_.world.clock);
  const auto epoch = [&](const Answer& answer) { return answer.body["epoch"].get<std::int64_t>(); };
  EXPECT_EQ(epoch(ask("GET", "/admin/test-clock")), 1'800'000'000);
  EXPECT_EQ(epoch(ask("POST", "/admin/test-clock/advance", R"({"seconds":90})")), 1'800'000'090);
  EXPECT_EQ(epoch(ask("POST", "/admin/test-clock", R"({"epoch":5})")), 5);
  for (const char* bad : {R"({"seconds":-1})", R"({"seconds":1.5})", R"({"seconds":"1"})", "{}"}) {
    EXPECT_EQ(ask("POST", "/admin/test-clock/advance", bad).status, 400) << bad;
  }
  EXPECT_EQ(epoch(ask("GET", "/admin/test-clock")), 5);
}

}  // namespace
}  // namespace otpd::usecase
