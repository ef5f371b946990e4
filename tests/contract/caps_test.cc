// What everybody together may send and spend: caps, budgets, countries of an address, pressure.
#include "gateway_flow.h"

namespace otpd::usecase {
namespace {

using otp::Cap;
using otp::Meter;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class CapUseCase : public GatewayFlow {
 protected:
  CapUseCase() {
    // On the border of the sub-windows of a day, and so of an hour.
    const auto past = house_.world.clock.now().time_since_epoch() % minutes(24);
    house_.world.clock.advance(Millis(minutes(24)) - past);
    house_.rules.limits.ip_sends.max = 1'000'000;
  }

  static std::string american(int n) { return "+1415" + std::to_string(5'550'000 + n); }
  static std::string british(int n) { return "+447400" + std::to_string(123'000 + n); }
  static std::string french(int n) { return "+336123" + std::to_string(45'000 + n); }

  Answer send_to(const std::string& phone) { return send(json{{"phone", phone}}.dump()); }
  // Which limit refuses, or "sent".
  std::string fate(const std::string& phone) {
    const Answer answer = send_to(phone);
    if (answer.status == 202) return "sent";
    EXPECT_EQ(answer.status, 429) << answer.body;
    EXPECT_EQ(answer.error(), "rate_limited");
    return answer.body.value("limit", "?");
  }
  std::vector<std::string> reasons(std::string_view what) {
    std::vector<std::string> found;
    for (const auto& line : house_.events(what)) found.push_back(line.detail);
    return found;
  }
  void advance(Millis by) { house_.world.clock.advance(by); }
  otp::CapRules& caps() { return house_.rules.caps; }
};
INSTANTIATE_TEST_SUITE_P(Backends, CapUseCase, k_houses, storage::backend_name);

TEST_P(CapUseCase, TheApplicationIsCappedInAnyHour) {
  caps().application[Meter::hour] = Cap{3};
  for (int n = 0; n < 3; ++n) EXPECT_EQ(fate(american(n)), "sent");
  const Answer refused = send_to(american(3));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body["limit"], "application");
  EXPECT_EQ(refused.header("Retry-After"), "3660");  // an hour, and the minute that it counts in
  // How high the cap is, is nobody's business.
  EXPECT_EQ(refused.header("RateLimit-Policy"), "\"application\";q=1;w=3660");
  const auto lines = house_.events(type::k_limited);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "application_hour");
  EXPECT_EQ(lines[0].country, "US");
  EXPECT_EQ(lines[0].ip_address, "127.0.0.1");
  EXPECT_FALSE(lines[0].channel_hash.empty());
  EXPECT_EQ(house_.take_all().size(), 3U);
  advance(minutes(61) - Millis(1));
  EXPECT_EQ(fate(american(4)), "application");
  advance(Millis(1));
  EXPECT_EQ(fate(american(5)), "sent");
}

TEST_P(CapUseCase, TheApplicationIsCappedInAnyDay) {
  caps().application[Meter::day] = Cap{2};
  for (int n = 0; n < 2; ++n) EXPECT_EQ(fate(american(n)), "sent");
  advance(hours(24) + minutes(24) - Millis(1));
  EXPECT_EQ(fate(american(2)), "application");
  advance(Millis(1));
  EXPECT_EQ(fate(american(3)), "sent");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("application_day"));
}

TEST_P(CapUseCase, MailCountsForTheApplicationOnly) {
  caps().application = {{Cap{1}, Cap{1}, Cap{1}}};
  caps().country = {{Cap{1}, Cap{1}, Cap{1}}};
  EXPECT_EQ(send(R"({"email":"ada@example.com"})").status, 202);
  EXPECT_EQ(send(R"({"email":"bob@example.com"})").body.value("limit", ""), "application");
}

TEST_P(CapUseCase, EachCountryIsCappedByItself) {
  caps().country[Meter::hour] = Cap{2};
  caps().countries["FR"] = {{Cap{1}}};
  for (int n = 0; n < 2; ++n) EXPECT_EQ(fate(american(n)), "sent");
  EXPECT_EQ(fate(american(2)), "country");
  EXPECT_EQ(fate(french(0)), "sent");
  EXPECT_EQ(fate(french(1)), "country");
  EXPECT_EQ(fate(british(0)), "sent");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("country_hour", "country_hour"));
}

TEST_P(CapUseCase, OfSeveralPrefixesTheLongestCounts) {
  caps().prefixes["+44"] = {{Cap{3}}};
  caps().prefixes["+447400124"] = {{Cap{1}}};
  EXPECT_EQ(fate("+447400124001"), "sent");
  EXPECT_EQ(fate("+447400124002"), "prefix");
  for (int n = 0; n < 3; ++n) EXPECT_EQ(fate(british(n)), "sent");
  EXPECT_EQ(fate(british(4)), "prefix");
  EXPECT_EQ(fate(american(0)), "sent");
  EXPECT_THAT(reasons(type::k_limited), Each("prefix_hour"));
}

TEST_P(CapUseCase, EveryBlockOfNumbersIsCapped) {
  caps().block = Cap{2};
  EXPECT_EQ(fate("+14155552671"), "sent");
  EXPECT_EQ(fate("+14155559999"), "sent");
  EXPECT_EQ(fate("+14155550000"), "block");
  EXPECT_EQ(fate("+14155562671"), "sent");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("block_hour"));
}

TEST_P(CapUseCase, WhatIsSpentIsCappedByPrice) {
  caps().default_price = 50'000;
  caps().prices["+44"] = 400'000;
  caps().application[Meter::spent] = Cap{1'000'000};
  caps().country[Meter::spent] = Cap{800'000};
  for (int n = 0; n < 2; ++n) EXPECT_EQ(fate(british(n)), "sent");
  EXPECT_EQ(fate(british(2)), "budget");
  for (int n = 0; n < 4; ++n) EXPECT_EQ(fate(american(n)), "sent");
  EXPECT_EQ(fate(american(4)), "budget");
  EXPECT_EQ(send(R"({"email":"ada@example.com"})").status, 202);
  EXPECT_THAT(reasons(type::k_limited),
              UnorderedElementsAre("budget_country", "budget_application"));
  const std::string page = house_.world.metrics.render();
  EXPECT_NE(page.find("otpd_spent_total{application=\"default\",country=\"GB\"} 0.8"),
            std::string::npos)
      << page;
}

TEST_P(CapUseCase, TheMetricsSayWhatIsLeftOfTheBudget) {
  caps().default_price = 50'000;
  caps().application[Meter::spent] = Cap{400'000};
  const auto shows = [&](const char* line) {
    const std::string page = ask("GET", "/metrics").http.body;
    return page.contains(line) ? "" : page;
  };
  EXPECT_EQ(shows("otpd_budget_spent{application=\"default\"} 0\n"), "");
  for (int n = 0; n < 3; ++n) EXPECT_EQ(fate(american(n)), "sent");
  EXPECT_EQ(shows("otpd_budget_spent{application=\"default\"} 0.15"), "");
  EXPECT_EQ(shows("otpd_budget_limit{application=\"default\"} 0.4"), "");
  advance(hours(25));
  EXPECT_EQ(shows("otpd_budget_spent{application=\"default\"} 0\n"), "");
  house_.store.script = [](Operation, const otp::Key&, const otp::Effects&) {
    return Fault::before;
  };
  EXPECT_EQ(ask("GET", "/metrics").status, 200);
  house_.store.script = {};
}

TEST_P(CapUseCase, WhatIsSpentIsPricedByItsChannel) {
  caps().default_price = 50'000;
  caps().channel_prices["voice"] = {{"", 300'000}, {"+44", 900'000}};
  caps().application[Meter::spent] = Cap{1'000'000};
  // What it costs, or which limit refuses.
  const auto call = [&](const std::string& phone) {
    otp::SendRequest request = house_.send_request(phone);
    request.channel = "voice";
    const otp::SendOutcome outcome = house_.send(std::move(request));
    const auto* sent = std::get_if<otp::Sent>(&outcome);
    return sent != nullptr ? std::to_string(sent->price)
                           : std::string(std::get<otp::CapReached>(outcome).limit);
  };
  EXPECT_EQ(call(american(0)), "300000");
  EXPECT_EQ(fate(american(1)), "sent");
  EXPECT_EQ(call(british(0)), "budget");
  EXPECT_EQ(call(american(2)), "300000");
  EXPECT_EQ(call(american(3)), "300000");
  EXPECT_EQ(call(american(4)), "budget");
  EXPECT_EQ(fate(american(5)), "sent");  // 0.3 + 0.05 + 0.3 + 0.3 + 0.05
  EXPECT_EQ(fate(american(6)), "budget");
}

TEST_P(CapUseCase, APrefixMayHaveABudget) {
  caps().prefix_budgets["+4474"] = Cap{60'000};
  caps().prefixes["+4474"] = {{Cap{100}}};
  EXPECT_EQ(fate(british(0)), "sent");
  EXPECT_EQ(fate(british(1)), "budget");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("budget_prefix"));
}

TEST_P(CapUseCase, APriceAboveEveryBudgetIsNeverPaid) {
  caps().prices["+44"] = std::numeric_limits<otp::Micros>::max();
  EXPECT_EQ(fate(british(0)), "budget");
  EXPECT_EQ(fate(american(0)), "sent");
}

// Nobody's refusals use up what is everybody's.
TEST_P(CapUseCase, WhatIsRefusedIsNotCounted) {
  caps().application[Meter::hour] = Cap{3};
  caps().countries["FR"] = {{Cap{1}}};
  EXPECT_EQ(fate(french(0)), "sent");
  for (int n = 0; n < 5; ++n) EXPECT_EQ(fate(french(1)), "country");
  EXPECT_EQ(fate(french(0)), "resend");
  EXPECT_EQ(fate(american(0)), "sent");
  house_.rules.limits.friction.recipient_sends = 1;
  for (int n = 1; n < 6; ++n) EXPECT_EQ(send_to(american(n)).error(), "captcha_required");
  house_.rules.limits.friction.recipient_sends = 100;
  EXPECT_EQ(fate(american(6)), "sent");
  EXPECT_EQ(fate(american(7)), "application");
}

TEST_P(CapUseCase, ARefusalCostsTheRecipientNothing) {
  caps().application[Meter::hour] = Cap{1};
  house_.rules.limits.recipient_sends.max = 1;
  EXPECT_EQ(fate(american(0)), "sent");
  EXPECT_EQ(fate(american(1)), "application");
  advance(minutes(61));
  EXPECT_EQ(fate(american(1)), "sent");
}

TEST_P(CapUseCase, ARepeatUnderAnIdempotencyKeyIsNotCounted) {
  caps().application[Meter::hour] = Cap{2};
  const auto body = json{{"phone", american(0)}, {"idempotency_key", "k"}}.dump();
  for (int n = 0; n < 4; ++n) EXPECT_EQ(send(body).status, 202);
  EXPECT_EQ(fate(american(1)), "sent");
  EXPECT_EQ(fate(american(2)), "application");
  const auto late = json{{"phone", american(3)}, {"idempotency_key", "late"}}.dump();
  EXPECT_EQ(send(late).status, 429);  // and is not remembered
  advance(minutes(61));
  EXPECT_EQ(send(late).status, 202);
}

TEST_P(CapUseCase, TestRecipientsAreExempt) {
  house_.rules.test_recipients.emplace(
      k_phone, otp::TestRecipient{Secret(std::string("246810")),
                                  house_.world.clock.now() + std::chrono::days(1)});
  caps().application = {{Cap{1}, Cap{1}, Cap{1}}};
  for (int n = 0; n < 4; ++n) EXPECT_EQ(fate(k_phone), "sent");
}

TEST_P(CapUseCase, AShadowRefusesNothingAndRecordsWhatItWould) {
  caps().application = {{Cap{1, true}, std::nullopt, Cap{50'000, true}}};
  caps().country[Meter::hour] = Cap{2, true};
  caps().block = Cap{1, true};
  EXPECT_EQ(fate(american(0)), "sent");
  EXPECT_TRUE(house_.events(type::k_limited_shadow).empty());
  const Answer second = send_to(american(1));
  EXPECT_EQ(second.status, 202);
  EXPECT_THAT(reasons(type::k_limited_shadow),
              UnorderedElementsAre("block_hour", "application_hour"));
  for (const auto& line : house_.events(type::k_limited_shadow)) {
    EXPECT_EQ(line.verification_id, second.body["verification_id"].get<std::string>());
  }
  EXPECT_EQ(fate(american(2)), "sent");
  EXPECT_TRUE(house_.events(type::k_limited).empty());
  EXPECT_EQ(house_.take_all().size(), 3U);
}

TEST_P(CapUseCase, AShadowHidesNoCapThatIsMore) {
  caps().application = {{Cap{1, true}, Cap{2}, std::nullopt}};
  for (int n = 0; n < 2; ++n) EXPECT_EQ(fate(american(n)), "sent");
  EXPECT_EQ(fate(american(2)), "application");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("application_day"));
}

TEST_P(CapUseCase, OneApplicationsUseIsNotAnothers) {
  caps().application[Meter::hour] = Cap{1};
  EXPECT_EQ(fate(american(0)), "sent");
  otp::Rules rules = make_test_rules();
  rules.application = "other";
  rules.caps.application[Meter::hour] = Cap{1};
  otp::Issuer other(house_.services(), rules, house_.roads);
  const auto sent = storage::await(other.send(house_.send_request(american(1)))).value();
  EXPECT_TRUE(std::holds_alternative<otp::Sent>(sent));
  EXPECT_EQ(fate(american(2)), "application");
}

TEST_P(CapUseCase, AnAddressMaySendToSoManyCountries) {
  house_.rules.limits.ip_countries.max = 2;
  EXPECT_EQ(fate(american(0)), "sent");
  advance(minutes(20));
  EXPECT_EQ(fate(british(0)), "sent");
  EXPECT_EQ(fate(american(1)), "sent");
  const Answer refused = send_to(french(0));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body["limit"], "ip");
  EXPECT_EQ(refused.header("Retry-After"), "3600");
  EXPECT_THAT(reasons(type::k_limited), ElementsAre("ip_countries"));
  EXPECT_EQ(send(R"({"email":"ada@example.com"})").status, 202);
  advance(minutes(60));
  EXPECT_EQ(fate(french(0)), "sent");
}

TEST_P(CapUseCase, NumbersOfNoCountryAreACountryOfAnAddress) {
  house_.rules.limits.ip_countries.max = 1;
  EXPECT_EQ(fate("+80012345678"), "sent");
  EXPECT_EQ(fate("+870773111632"), "sent");
  EXPECT_EQ(send(R"({"email":"ada@example.com"})").status, 202);
  EXPECT_EQ(fate(american(0)), "ip");
}

TEST_P(CapUseCase, AnIPv6SubscriberIsOneAddressWhateverItIs) {
  house_.rules.limits.ip_countries.max = 1;
  const auto send_from = [&](const std::string& ip, const std::string& phone, const char* country) {
    otp::SendRequest request = house_.send_request(phone);
    request.client_ip = ip;
    request.recipient.country = country;
    return std::holds_alternative<otp::Sent>(house_.send(std::move(request)));
  };
  EXPECT_TRUE(send_from("2001:db8::1", american(0), "US"));
  EXPECT_FALSE(send_from("2001:DB8:0:0:ffff::2", french(0), "FR"));
  EXPECT_TRUE(send_from("2001:db8:0:1::1", french(0), "FR"));
  EXPECT_TRUE(send_from("203.0.113.9", french(1), "FR"));
  EXPECT_FALSE(send_from("::ffff:203.0.113.9", american(1), "US"));
}

TEST_P(CapUseCase, CountriesOfAnAddressMayBeAShadow) {
  house_.rules.limits.ip_countries.max = 1;
  house_.rules.limits.ip_countries_shadow = true;
  EXPECT_EQ(fate(american(0)), "sent");
  EXPECT_EQ(fate(french(0)), "sent");
  EXPECT_EQ(fate(american(1)), "sent");
  EXPECT_THAT(reasons(type::k_limited_shadow), ElementsAre("ip_countries"));
}

TEST_P(CapUseCase, WhenHalfOfTheHourIsUsedEverySendNeedsACaptcha) {
  caps().application[Meter::hour] = Cap{4};
  house_.rules.limits.friction.application_percent = 50;
  for (int n = 0; n < 2; ++n) EXPECT_EQ(fate(american(n)), "sent");
  const Answer asked = send_to(american(2));
  EXPECT_EQ(asked.error(), "captcha_required");
  EXPECT_EQ(asked.body["captcha"]["parameters"]["data"]["level"], 0);
  // Whoever solves one before he is asked gets one that is hard enough.
  house_.rules.limits.friction.application_percent = 10;
  advance(Seconds(11));
  EXPECT_EQ(send_to(american(2)).body["captcha"]["parameters"]["data"]["level"], 3);
  const Answer fresh = ask("GET", "/captcha");
  EXPECT_EQ(fresh.body["parameters"]["data"]["level"], 3);
  advance(minutes(61));
  EXPECT_EQ(fate(american(3)), "sent");
}

TEST_P(CapUseCase, PressureMayBeAShadow) {
  caps().application[Meter::hour] = Cap{4, true};
  house_.rules.limits.friction.application_percent = 50;
  for (int n = 0; n < 3; ++n) EXPECT_EQ(fate(american(n)), "sent");
  EXPECT_THAT(reasons(type::k_limited_shadow), ElementsAre("pressure"));
}

}  // namespace
}  // namespace otpd::usecase
