// Two applications that serve the same people: each with its own codes, limits, keys and factors.
#include <functional>

#include "captcha_solving.h"
#include "gateway/caps_json.h"
#include "tenants.h"

namespace otpd::usecase {
namespace {

class TenantUseCase : public Tenants {
 protected:
  // The challenge that the third of such sends is answered with.
  json asked(const std::function<Answer(const json&)>& sending) {
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(sending({{"phone", k_phone}}).status, 202);
      house_.world.clock.advance(Seconds(30));
    }
    return sending({{"phone", k_phone}}).body.value("captcha", json());
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, TenantUseCase, k_houses, storage::backend_name);

TEST_P(TenantUseCase, OneRecipientHasACodeOfEach) {
  ASSERT_EQ(send().status, 202);
  const std::string ours = code();
  ASSERT_EQ(send_at_shop().status, 202);
  const std::string theirs = code();
  if (ours == theirs) return;  // one in a million
  const Answer wrong = verify_at_shop(ours);
  EXPECT_EQ(wrong.error(), "invalid_otp");
  EXPECT_EQ(wrong.body.at("attempts_remaining"), 2);
  EXPECT_EQ(verify(theirs).error(), "invalid_otp");
  const Answer verified = verify(ours);
  EXPECT_EQ(verified.status, 200);
  EXPECT_EQ(verified.body.at("session_token"), verify(ours).body.at("session_token"));
  EXPECT_NE(verified.body.at("user_id"), verify_at_shop(theirs).body.at("user_id"));
}

TEST_P(TenantUseCase, AnIdempotencyKeyIsTheApplicationsOwn) {
  const Answer first = send_json({{"phone", k_phone}, {"idempotency_key", "one"}});
  ASSERT_EQ(first.status, 202);
  const Answer other = send_at_shop({{"phone", "+14155550100"}, {"idempotency_key", "one"}});
  ASSERT_EQ(other.status, 202) << other.body;
  EXPECT_NE(other.body.at("verification_id"), first.body.at("verification_id"));
  EXPECT_EQ(house_.take_all().size(), 2U);
  const Answer again = send_json({{"phone", k_phone}, {"idempotency_key", "one"}});
  EXPECT_EQ(again.body, first.body);
  EXPECT_TRUE(house_.take_all().empty());
}

TEST_P(TenantUseCase, ALimitThatOneHasReachedIsOpenForTheOther) {
  const otp::Limit one{1, std::chrono::hours(1)};
  const std::pair<otp::Limit otp::Limits::*, std::string> limits[] = {
      {&otp::Limits::recipient_sends, "recipient"},
      {&otp::Limits::user_sends, "user"},
      {&otp::Limits::ip_sends, "ip"}};
  int phones = 0;
  for (const auto& [limit, name] : limits) {
    house_.rules.limits = shop_rules_.limits = make_test_rules().limits;
    house_.rules.limits.*limit = shop_rules_.limits.*limit = one;
    const json body{{"phone", "+1415555010" + std::to_string(phones++)}, {"user_id", k_user}};
    house_.world.clock.advance(std::chrono::hours(2));
    EXPECT_EQ(send_json(body).status, 202) << name;
    house_.world.clock.advance(Seconds(31));
    EXPECT_EQ(send_json(body).body.value("limit", ""), name);
    EXPECT_EQ(send_at_shop(body).status, 202) << name;
    house_.world.clock.advance(Seconds(31));
    EXPECT_EQ(send_at_shop(body).body.value("limit", ""), name);
  }
}

TEST_P(TenantUseCase, EachHasRulesOfItsOwn) {
  shop_rules_.policies["login"].digits = 8;
  shop_rules_.policies["wire"] = {};
  shop_rules_.limits.ip_sends = {2, std::chrono::hours(1)};
  shop_rules_.test_recipients.emplace(
      "+14155550199",
      otp::TestRecipient{Secret(std::string("24681012")), house_.world.clock.now() + Seconds(60)});
  ASSERT_EQ(send_at_shop().status, 202);
  EXPECT_EQ(code().size(), 8U);
  ASSERT_EQ(send().status, 202);
  EXPECT_EQ(code().size(), 6U);
  EXPECT_EQ(send_at_shop({{"phone", k_phone}, {"purpose", "wire"}}).status, 202);
  EXPECT_EQ(send_json({{"phone", k_phone}, {"purpose", "wire"}}).error(), "invalid_request");
  EXPECT_EQ(send_at_shop({{"phone", "+14155550101"}}).body.value("limit", ""), "ip");
  EXPECT_EQ(send_at_shop({{"phone", "+14155550199"}}).status, 202);
  house_.take_all();
  EXPECT_EQ(send_json({{"phone", "+14155550199"}}).status, 202);
  EXPECT_NE(code(), "24681012");
}

TEST_P(TenantUseCase, WrongGuessesAtOneCostTheOtherNothing) {
  ASSERT_EQ(send().status, 202);
  const std::string ours = code();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(verify_at_shop(ours).error(), "otp_expired");
  ASSERT_EQ(send_at_shop().status, 202);
  const std::string theirs = code();
  for (int i = 0; i < 3; ++i) verify_at_shop(other_code(theirs));
  EXPECT_EQ(verify_at_shop(theirs).error(), "attempts_exhausted");
  EXPECT_EQ(verify(ours).status, 200);
}

TEST_P(TenantUseCase, ACaptchaIsGoodForItsApplicationOnly) {
  house_.rules.limits.friction = {.captcha_cost = 100, .captcha_work = 10};
  shop_rules_.limits.friction = house_.rules.limits.friction;
  const std::string ours = solve(asked([this](const json& body) { return send_json(body); }));
  asked([this](const json& body) { return send_at_shop(body); });
  const Answer refused = send_at_shop({{"phone", k_phone}, {"captcha", ours}});
  EXPECT_EQ(refused.error(), "captcha_required");
  EXPECT_EQ(send_json({{"phone", k_phone}, {"captcha", ours}}).status, 202);
  const json fresh = ask("GET", "/captcha").body;
  EXPECT_EQ(send_at_shop({{"phone", k_phone}, {"captcha", solve(fresh)}}).error(),
            "captcha_required");
  const json theirs = at_shop("GET", "/captcha").body;
  EXPECT_EQ(send_at_shop({{"phone", k_phone}, {"captcha", solve(theirs)}}).status, 202);
}

TEST_P(TenantUseCase, OneUserHasFactorsOfEach) {
  const std::string base = std::string("/users/") + k_user;
  const Answer ours = ask("POST", base + "/factors", R"({"type":"totp"})");
  const Answer theirs = at_shop("POST", base + "/factors", R"({"type":"totp"})");
  const std::string our_path = base + "/factors/" + ours.body.at("factor_id").get<std::string>();
  const std::string their_path =
      base + "/factors/" + theirs.body.at("factor_id").get<std::string>();
  const std::string wrong = json{{"code", other_code(totp(theirs.body.at("secret")))}}.dump();
  for (int i = 0; i < 6; ++i) at_shop("POST", their_path + "/confirm", wrong);
  EXPECT_EQ(at_shop("POST", their_path + "/confirm", wrong).status, 429);
  EXPECT_EQ(ask("POST", base + "/unlock").status, 200);
  EXPECT_EQ(at_shop("POST", their_path + "/confirm", wrong).status, 429);
  EXPECT_EQ(ask("POST", our_path + "/confirm", json{{"code", totp(ours.body.at("secret"))}}.dump())
                .status,
            200);
  const json our_codes = ask("POST", base + "/recovery-codes").body.at("recovery_codes");
  const json their_codes = at_shop("POST", base + "/recovery-codes").body.at("recovery_codes");
  const auto recover = [](const json& code) { return json{{"code", code}}.dump(); };
  EXPECT_EQ(at_shop("POST", base + "/recovery-codes/verify", recover(our_codes[0])).error(),
            "invalid_otp");
  EXPECT_EQ(ask("POST", base + "/recovery-codes/verify", recover(our_codes[0])).status, 200);
  EXPECT_EQ(ask("GET", base + "/factors").body.at("factors").size(), 1U);
}

TEST_P(TenantUseCase, AnOperatorSeesTheApplicationsAndTheirRules) {
  shop_rules_.policies["login"].digits = 8;
  shop_rules_.limits.ip_sends = {2, std::chrono::hours(1)};
  shop_rules_.caps.application[otp::Meter::hour] = otp::Cap{77};
  shop_rules_.caps.countries["GB"][otp::Meter::day] = otp::Cap{7};
  const json all = ask_admin("/admin/apps").body.at("applications");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0], json({{"name", "default"},
                          {"base", true},
                          {"channels", {"email", "sms"}},
                          {"purposes", {"login", "password_reset", "transaction"}},
                          {"caps", gateway::caps_json(house_.rules.caps, false)}}));
  EXPECT_EQ(all[1].at("name"), "shop");
  EXPECT_EQ(all[1].at("base"), false);
  EXPECT_EQ(all[1].at("caps").at("application").at("sends_per_hour").at("max"), 77);
  const json shop = ask_admin("/admin/apps/shop").body;
  EXPECT_EQ(shop.at("purposes").at("login").at("digits"), 8);
  EXPECT_EQ(shop.at("limits").at("ip_sends"), 2);
  EXPECT_EQ(shop.at("default_region"), "DE");
  EXPECT_EQ(shop.at("caps").at("countries").at("GB").at("sends_per_day").at("max"), 7);
  const json base = ask_admin("/admin/apps/default").body;
  EXPECT_EQ(base.at("purposes").at("login").at("digits"), 6);
  EXPECT_TRUE(base.at("base"));
  EXPECT_EQ(ask_admin("/admin/apps/bank").error(), "not_found");
  EXPECT_EQ(ask("GET", "/admin/apps").error(), "unauthorized");
}

TEST_P(TenantUseCase, AnOperatorNamesTheApplicationWhoseRecipientItIs) {
  const std::string id = send_at_shop().body.at("verification_id");
  const std::string search = "/admin/events?phone=%2B14155552671";
  EXPECT_TRUE(ask_admin(search).body.at("events").empty());
  EXPECT_TRUE(ask_admin(search + "&application=default").body.at("events").empty());
  const json found = ask_admin(search + "&application=shop").body.at("events");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at("verification_id"), id);
  // A number without a country code is read as the application reads it.
  EXPECT_EQ(ask_admin("/admin/events?phone=0301234567&application=shop").status, 200);
  EXPECT_EQ(ask_admin("/admin/events?phone=0301234567").error(), "invalid_phone");
  EXPECT_EQ(ask_admin(search + "&application=bank").error(), "invalid_request");
  EXPECT_EQ(found[0].at("application"), "shop");
  ASSERT_EQ(send().status, 202);
  const auto whose = [&](const std::string& name) {
    return ask_admin("/admin/events?application=" + name).body.at("events");
  };
  ASSERT_EQ(whose("default").size(), 1U);
  EXPECT_FALSE(whose("default")[0].contains("application"));
  EXPECT_EQ(whose("shop"), found);
  EXPECT_TRUE(whose("bank").empty());
}

TEST_P(TenantUseCase, AnOperatorSeesEveryVerification) {
  const std::string id = send_at_shop().body.at("verification_id");
  const Answer timeline = ask_admin("/admin/verifications/" + id);
  EXPECT_EQ(timeline.status, 200);
  EXPECT_EQ(timeline.body.value("status", ""), "queued");
}

}  // namespace
}  // namespace otpd::usecase
