// The routes of authenticator apps and recovery codes.
#include "base/encoding.h"
#include "gateway_flow.h"
#include "otp/oath.h"

namespace otpd::usecase {
namespace {

class GatewayFactors : public GatewayFlow {
 protected:
  static inline const std::string k_base = std::string("/users/") + k_user;

  Answer enrol(const std::string& body = R"({"type":"totp"})") {
    return ask("POST", k_base + "/factors", body);
  }
  Answer guess(const Answer& enrolled, const std::string& what, const json& body) {
    const std::string id = enrolled.body.at("factor_id");
    return ask("POST", k_base + "/factors/" + id + "/" + what, body.dump());
  }
  // As an app makes it, from nothing but the secret that was shown.
  std::string code_of(const Answer& enrolled, otp::OathParams params = {}) {
    const auto secret = base32_decode(enrolled.body.at("secret").get<std::string>()).value();
    const auto step = otp::time_step(params, house_.world.clock.now());
    return std::string(otp::oath_code(params, secret, step).reveal());
  }
  Answer recover(const std::string& code) {
    return ask("POST", k_base + "/recovery-codes/verify", json{{"code", code}}.dump());
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, GatewayFactors, k_houses, storage::backend_name);

TEST_P(GatewayFactors, FromTheEnrolmentToTheRemoval) {
  const Answer enrolled = enrol(R"({"type":"totp","name":"Pixel","account":"ada@example.com"})");
  ASSERT_EQ(enrolled.status, 201);
  EXPECT_EQ(enrolled.header("Cache-Control"), "no-store");
  EXPECT_EQ(enrolled.body.at("status"), "pending");
  EXPECT_EQ(enrolled.body.at("expires_in"), 3'600);
  const std::string secret = enrolled.body.at("secret");
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_EQ(enrolled.body.at("otpauth_uri"),
            "otpauth://totp/otpd:ada%40example.com?secret=" + secret +
                "&issuer=otpd&algorithm=SHA1&digits=6&period=30");
  EXPECT_TRUE(enrolled.body.at("qr_svg").get<std::string>().starts_with("<svg "));
  EXPECT_TRUE(base64_decode(enrolled.body.at("qr_png").get<std::string>())
                  .value()
                  .starts_with("\x89PNG\r\n"));

  EXPECT_EQ(guess(enrolled, "verify", {{"code", code_of(enrolled)}}).error(), "not_found");
  EXPECT_EQ(guess(enrolled, "confirm", {{"code", code_of(enrolled)}}).status, 200);
  const Answer replayed = guess(enrolled, "verify", {{"code", code_of(enrolled)}});
  EXPECT_EQ(replayed.status, 401);
  EXPECT_EQ(replayed.error(), "invalid_otp");
  EXPECT_EQ(replayed.body.at("attempts_remaining"), 5);
  house_.world.clock.advance(Seconds(30));
  const Answer verified = guess(enrolled, "verify", {{"code", code_of(enrolled)}});
  EXPECT_EQ(verified.status, 200);
  EXPECT_EQ(verified.body,
            json({{"factor_id", enrolled.body.at("factor_id")}, {"status", "active"}}));

  const json listed = ask("GET", k_base + "/factors").body;
  ASSERT_EQ(listed.at("factors").size(), 1U);
  EXPECT_EQ(listed.at("factors")[0].at("name"), "Pixel");
  EXPECT_EQ(listed.at("factors")[0].at("status"), "active");
  EXPECT_FALSE(listed.dump().contains(secret));
  EXPECT_EQ(listed.at("recovery_codes"), json({{"left", 0}}));

  const std::string one = k_base + "/factors/" + enrolled.body.at("factor_id").get<std::string>();
  EXPECT_EQ(ask("DELETE", one).status, 200);
  EXPECT_EQ(ask("DELETE", one).status, 404);
  EXPECT_TRUE(ask("GET", k_base + "/factors").body.at("factors").empty());
}

TEST_P(GatewayFactors, WrongCodesCloseItUntilTheCallerOpensIt) {
  const Answer enrolled = enrol();
  for (int left = 4; left > 0; --left) {
    const Answer wrong = guess(enrolled, "confirm", {{"code", other_code(code_of(enrolled))}});
    EXPECT_EQ(wrong.error(), "invalid_otp");
    EXPECT_EQ(wrong.body.at("attempts_remaining"), left);
  }
  for (const std::string& code : {other_code(code_of(enrolled)), code_of(enrolled)}) {
    const Answer closed = guess(enrolled, "confirm", {{"code", code}});
    EXPECT_EQ(closed.status, 429);
    EXPECT_EQ(closed.error(), "rate_limited");
    EXPECT_EQ(closed.body.at("limit"), "factor");
    EXPECT_EQ(closed.header("Retry-After"), "30");
  }
  EXPECT_TRUE(ask("GET", k_base + "/factors").body.at("factors")[0].contains("locked_until"));
  for (const bool anything : {true, false}) {
    const Answer unlocked = ask("POST", k_base + "/unlock");
    EXPECT_EQ(unlocked.status, 200);
    EXPECT_EQ(unlocked.body, json({{"unlocked", anything}}));
  }
  EXPECT_EQ(guess(enrolled, "confirm", {{"code", code_of(enrolled)}}).status, 200);
}

TEST_P(GatewayFactors, ImportsWhatIsThere) {
  const Answer totp = enrol(R"({"type":"totp","algorithm":"SHA256","digits":8,"period":60,)"
                            R"("secret":"gezd gnbv gy3t qojq gezd gnbv gy3t qojq"})");
  ASSERT_EQ(totp.status, 201);
  EXPECT_EQ(totp.body.at("secret"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
  EXPECT_FALSE(totp.body.contains("expires_in"));
  const otp::OathParams params{
      .digest = crypto::Digest::sha256, .digits = 8, .period = Seconds(60)};
  EXPECT_EQ(guess(totp, "verify", {{"code", code_of(totp, params)}}).status, 200);

  const Answer hotp =
      enrol(R"({"type":"hotp","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","counter":3})");
  ASSERT_EQ(hotp.status, 201);
  EXPECT_TRUE(hotp.body.at("otpauth_uri").get<std::string>().ends_with("&digits=6&counter=3"));
  EXPECT_EQ(guess(hotp, "verify", {{"code", "287082"}}).status, 401);  // counter 1
  EXPECT_EQ(guess(hotp, "verify", {{"code", "969429"}}).status, 200);  // counter 3
  EXPECT_EQ(guess(hotp, "verify", {{"code", "399871"}, {"next_code", "520489"}}).status, 200);
}

TEST_P(GatewayFactors, RefusesWhatIsNoEnrolment) {
  const std::pair<const char*, const char*> refused[] = {
      {R"({})", "type"},
      {R"({"type":"sms"})", "type"},
      {R"({"type":"totp","algorithm":"MD5"})", "algorithm"},
      {R"({"type":"totp","digits":5})", "digits"},
      {R"({"type":"totp","digits":9})", "digits"},
      {R"({"type":"totp","period":14})", "period"},
      {R"({"type":"hotp","period":30})", "period"},
      {R"({"type":"totp","issuer":"a:b"})", "issuer"},
      {R"({"type":"totp","account":"a:b"})", "account"},
      {R"({"type":"totp","name":"a\nb"})", "name"},
      {R"({"type":"totp","name":"a\u009bb"})", "name"},
      {R"({"type":"totp","name":"a\u202eb"})", "name"},
      {R"({"type":"totp","name":"a\u200bb"})", "name"},
      {R"({"type":"totp","name":" a"})", "name"},
      {R"({"type":"totp","issuer":"a\u202eb"})", "issuer"},
      {R"({"type":"totp","account":"a\u0085b"})", "account"},
      {R"({"type":"totp","secret":"GEZDGNBVGY3TQOJQ"})", "secret"},
      {R"({"type":"totp","secret":"0189"})", "secret"},
      {R"({"type":"totp","secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","counter":1})", "counter"},
      {R"({"type":"hotp","counter":1})", "counter"},
      {R"({"type":"totp","colour":"red"})", "colour"}};
  for (const auto& [body, member] : refused) {
    const Answer answer = enrol(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.body.value("member", ""), member) << body;
  }
  EXPECT_TRUE(ask("GET", k_base + "/factors").body.at("factors").empty());
}

TEST_P(GatewayFactors, RefusesWhatIsNoCodeAndCountsNothing) {
  const Answer enrolled = enrol();
  for (const char* code : {"12345", "1234567", "12 456", "abcdef"}) {
    EXPECT_EQ(guess(enrolled, "confirm", {{"code", code}}).error(), "invalid_code") << code;
  }
  for (const json& code : {json(true), json(1), json(nullptr), json::array(), json("")}) {
    EXPECT_EQ(guess(enrolled, "confirm", {{"code", code}}).error(), "invalid_request");
  }
  EXPECT_EQ(guess(enrolled, "confirm", json::object()).error(), "invalid_request");
  EXPECT_EQ(guess(enrolled, "confirm", {{"code", "123456"}, {"next_code", "123456"}}).error(),
            "invalid_code");
  const Answer wrong = guess(enrolled, "confirm", {{"code", other_code(code_of(enrolled))}});
  EXPECT_EQ(wrong.body.at("attempts_remaining"), 4);
  for (const char* id : {"0123456789abcdef", "x", "0123456789abcdeg"}) {
    EXPECT_EQ(ask("POST", k_base + "/factors/" + id + "/verify", R"({"code":"123456"})").error(),
              "not_found");
  }
  EXPECT_EQ(ask("POST", "/users/7/factors", R"({"type":"totp"})").error(), "invalid_request");
}

TEST_P(GatewayFactors, AUserHasABoundedNumber) {
  house_.rules.factors.max_per_user = 1;
  const Answer enrolled = enrol();
  EXPECT_EQ(guess(enrolled, "confirm", {{"code", code_of(enrolled)}}).status, 200);
  const Answer second = enrol();
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.error(), "too_many_factors");
}

TEST_P(GatewayFactors, RecoveryCodesAreShownOnceAndUsedOnce) {
  EXPECT_EQ(recover("00000-00000").error(), "not_found");
  const Answer made = ask("POST", k_base + "/recovery-codes");
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made.header("Cache-Control"), "no-store");
  const auto codes = made.body.at("recovery_codes").get<std::vector<std::string>>();
  ASSERT_EQ(codes.size(), 10U);
  EXPECT_EQ(recover(codes[0]).body, json({{"recovery_codes_left", 9}}));
  EXPECT_EQ(recover(codes[0]).error(), "invalid_otp");
  std::string typed = codes[1];
  for (char& c : typed) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(recover(typed).body, json({{"recovery_codes_left", 8}}));
  EXPECT_EQ(recover("what").error(), "invalid_code");
  const json listed = ask("GET", k_base + "/factors").body;
  EXPECT_EQ(listed.at("recovery_codes").at("left"), 8);
  for (const std::string& code : codes) EXPECT_FALSE(listed.dump().contains(code));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(recover("00000-00000").error(), "invalid_otp");
  EXPECT_EQ(recover("00000-00000").error(), "invalid_otp");
  const Answer closed = recover("00000-00000");
  EXPECT_EQ(closed.error(), "rate_limited");
  EXPECT_EQ(closed.body.at("limit"), "recovery");
}

TEST_P(GatewayFactors, NobodyElseMayCall) {
  const Answer enrolled = enrol();
  const std::string one = k_base + "/factors/" + enrolled.body.at("factor_id").get<std::string>();
  const std::pair<const char*, std::string> routes[] = {{"POST", k_base + "/factors"},
                                                        {"GET", k_base + "/factors"},
                                                        {"POST", one + "/confirm"},
                                                        {"POST", one + "/verify"},
                                                        {"DELETE", one},
                                                        {"POST", k_base + "/recovery-codes"},
                                                        {"POST", k_base + "/recovery-codes/verify"},
                                                        {"POST", k_base + "/unlock"}};
  for (const auto& [method, target] : routes) {
    net::HttpRequest http = request(method, target, "{}");
    http.peer = "203.0.113.9";
    EXPECT_EQ(ask(std::move(http)).status, 401) << target;
  }
}

}  // namespace
}  // namespace otpd::usecase
