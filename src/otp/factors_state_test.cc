// The rules of factors: what a code is worth, when a factor closes, what makes room for what.
#include "otp/factors_state.h"

#include <gtest/gtest.h>

#include "otp/factors.h"
#include "otp/otpauth.h"

namespace otpd::otp {
namespace {

constexpr std::string_view k_factor_seed = "12345678901234567890";
constexpr TimePoint k_factor_now{Seconds(1'795'310'000)};

Factor make_factor(std::string id, OathType type = OathType::totp) {
  Factor factor{.id = std::move(id), .params = {.type = type}};
  factor.created_at = k_factor_now;
  return factor;
}
std::string totp_at(TimePoint now) {
  return std::string(oath_code({}, k_factor_seed, time_step({}, now)).reveal());
}
std::string hotp_at(std::uint64_t counter) {
  return std::string(oath_code({.type = OathType::hotp}, k_factor_seed, counter).reveal());
}
CodeVerdict check_factor(Factor& factor, const std::string& code, TimePoint now = k_factor_now) {
  return check_code(factor, k_factor_seed, {code}, {}, now);
}
bool is_accepted(const CodeVerdict& verdict) {
  return std::holds_alternative<CodeAccepted>(verdict);
}

TEST(FactorRules, TheFirstRightCodeConfirmsAndIsUsedUp) {
  Factor factor = make_factor("one");
  const auto first = check_factor(factor, totp_at(k_factor_now));
  EXPECT_TRUE(std::get<CodeAccepted>(first).confirmed);
  EXPECT_EQ(factor.confirmed_at, k_factor_now);
  const auto again = std::get<CodeRefused>(check_factor(factor, totp_at(k_factor_now)));
  EXPECT_TRUE(again.used);
  EXPECT_EQ(factor.wrong, WrongCodes{});
  const auto next =
      check_factor(factor, totp_at(k_factor_now + Seconds(30)), k_factor_now + Seconds(30));
  EXPECT_FALSE(std::get<CodeAccepted>(next).confirmed);
  EXPECT_EQ(factor.last_used_at, k_factor_now + Seconds(30));
}

// Each wrong code from the fifth on closes it; meanwhile not even the right one is looked at.
TEST(FactorRules, WrongCodesCloseItForAGrowingTime) {
  Factor factor = make_factor("one");
  TimePoint now = k_factor_now;
  for (std::uint32_t left = 4; left > 0; --left) {
    const auto refused = std::get<CodeRefused>(check_factor(factor, "000000", now));
    EXPECT_EQ(refused.guesses_left, left);
    EXPECT_EQ(refused.closed_for, Millis(0));
  }
  for (const int seconds : {30, 60, 120, 240, 480}) {
    EXPECT_EQ(std::get<CodeRefused>(check_factor(factor, "000000", now)).closed_for,
              Seconds(seconds));
    const auto count = factor.wrong.count;
    EXPECT_EQ(std::get<FactorClosed>(check_factor(factor, totp_at(now), now)).closed_for,
              Seconds(seconds));
    now += Seconds(seconds) - Millis(1);
    EXPECT_EQ(std::get<FactorClosed>(check_factor(factor, totp_at(now), now)).closed_for,
              Millis(1));
    EXPECT_EQ(factor.wrong.count, count);
    now += Millis(1);
  }
  EXPECT_TRUE(is_accepted(check_factor(factor, totp_at(now), now)));
  EXPECT_EQ(factor.wrong, WrongCodes{});
}

TEST(FactorRules, AThirtyFirstWrongCodeInAnHourIsNotEvenLookedAt) {
  Factor factor = make_factor("one");
  int looked_at = 0;
  for (int second = 0; second < 3'600; ++second) {
    const auto verdict = check_factor(factor, "000000", k_factor_now + Seconds(second));
    looked_at += std::holds_alternative<CodeRefused>(verdict) ? 1 : 0;
  }
  EXPECT_EQ(looked_at, 11);
}

TEST(FactorRules, AClockThatStepsBackOpensNothingAndClosesNothingForLong) {
  Factor factor = make_factor("one");
  ASSERT_TRUE(is_accepted(check_factor(factor, totp_at(k_factor_now))));
  const TimePoint back = k_factor_now - Seconds(3'600);
  EXPECT_TRUE(std::get<CodeRefused>(check_factor(factor, totp_at(back), back)).used);
  for (int i = 0; i < 5; ++i) check_factor(factor, "000000");
  EXPECT_EQ(std::get<FactorClosed>(check_factor(factor, "000000", back)).closed_for, Seconds(30));
  EXPECT_FALSE(
      std::holds_alternative<FactorClosed>(check_factor(factor, "000000", back + Seconds(30))));
}

TEST(FactorRules, ACounterThatRanAwayIsFoundByTwoCodes) {
  Factor factor = make_factor("one", OathType::hotp);
  EXPECT_TRUE(is_accepted(check_factor(factor, hotp_at(10))));
  EXPECT_FALSE(is_accepted(check_factor(factor, hotp_at(500))));
  const std::string one = hotp_at(500);
  const std::string two = hotp_at(501);
  EXPECT_FALSE(is_accepted(check_code(factor, k_factor_seed, {two, one}, {}, k_factor_now)));
  EXPECT_EQ(factor.wrong.count, 2U);
  EXPECT_TRUE(is_accepted(check_code(factor, k_factor_seed, {one, two}, {}, k_factor_now)));
  EXPECT_EQ(factor.next, 502U);
  EXPECT_EQ(factor.wrong.count, 0U);
}

TEST(FactorRules, TwoCodesAreNoWayAroundTheLock) {
  Factor factor = make_factor("one", OathType::hotp);
  for (int i = 0; i < 5; ++i) check_factor(factor, "000000");
  const auto verdict =
      check_code(factor, k_factor_seed, {hotp_at(0), hotp_at(1)}, {}, k_factor_now);
  EXPECT_TRUE(std::holds_alternative<FactorClosed>(verdict));
}

TEST(FactorRules, OneThatWaitsTooLongForItsFirstCodeIsGone) {
  FactorsState state;
  const FactorRules rules{.enrolment_lifetime = Seconds(600)};
  Factor imported = make_factor("imported");
  imported.imported = true;
  Factor confirmed = make_factor("confirmed");
  confirmed.confirmed_at = k_factor_now;
  state.factors = {make_factor("drawn"), imported, confirmed};
  drop_unconfirmed(state, rules, k_factor_now + Seconds(600) - Millis(1));
  EXPECT_EQ(state.factors.size(), 3U);
  drop_unconfirmed(state, rules, k_factor_now + Seconds(600));
  EXPECT_EQ(find_factor(state, "drawn"), nullptr);
  EXPECT_NE(find_factor(state, "imported"), nullptr);
  EXPECT_NE(find_factor(state, "confirmed"), nullptr);
}

TEST(FactorRules, AUserHasABoundedNumberAndAnEnrolmentGivesWay) {
  FactorsState state;
  const FactorRules rules{.max_per_user = 2};
  Factor confirmed = make_factor("one");
  confirmed.confirmed_at = k_factor_now;
  EXPECT_TRUE(add_factor(state, confirmed, rules));
  EXPECT_TRUE(add_factor(state, make_factor("two"), rules));
  EXPECT_TRUE(add_factor(state, make_factor("three"), rules));
  EXPECT_EQ(state.factors.size(), 2U);
  EXPECT_EQ(find_factor(state, "two"), nullptr);
  find_factor(state, "three")->confirmed_at = k_factor_now;
  EXPECT_FALSE(add_factor(state, make_factor("four"), rules));
  EXPECT_TRUE(remove_factor(state, "one"));
  EXPECT_FALSE(remove_factor(state, "one"));
  EXPECT_TRUE(add_factor(state, make_factor("four"), rules));
}

TEST(RecoveryRules, AGuessIsCountedBeforeItIsHashed) {
  FactorsState state;
  EXPECT_TRUE(std::holds_alternative<NoRecoveryCodes>(reserve_recovery(state, {}, k_factor_now)));
  state.recovery.digests = {"a", "b"};
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(
        std::holds_alternative<RecoveryReserved>(reserve_recovery(state, {}, k_factor_now)));
  }
  EXPECT_EQ(std::get<FactorClosed>(reserve_recovery(state, {}, k_factor_now)).closed_for,
            Seconds(30));
  // The last one that was let in had the right code.
  EXPECT_TRUE(settle_recovery(state, "b"));
  EXPECT_FALSE(settle_recovery(state, "b"));
  EXPECT_EQ(state.recovery.digests, std::vector<std::string>{"a"});
  EXPECT_TRUE(std::holds_alternative<RecoveryReserved>(reserve_recovery(state, {}, k_factor_now)));
}

TEST(RecoveryRules, WhatPeopleTypeIsFound) {
  for (const char* typed :
       {"0123456789", "01234-56789", "O1234-56789", "oi234 56789", " 0L234-56789 "}) {
    EXPECT_EQ(find_recovery_code(typed).reveal(), "0123456789") << typed;
  }
  for (const char* typed : {"", "-", "012345678", "01234567890", "u123456789", "0123-45678_"}) {
    EXPECT_TRUE(find_recovery_code(typed).empty()) << typed;
  }
}

TEST(RecoveryRules, DrawnCodesAreFoundAgain) {
  SeededRandom random(7);
  const Secret code = draw_recovery_code(random);
  ASSERT_EQ(code.size(), 11U);
  EXPECT_EQ(code.reveal()[5], '-');
  const std::string without = std::string(code.reveal()).erase(5, 1);
  EXPECT_EQ(find_recovery_code(code.reveal()).reveal(), without);
  EXPECT_NE(draw_recovery_code(random).reveal(), code.reveal());
}

TEST(FactorsRecord, KeepsEverything) {
  FactorsState state;
  Factor factor = make_factor("one", OathType::hotp);
  factor.params = {OathType::hotp, crypto::Digest::sha512, 8, Seconds(60)};
  factor.name = "key fob";
  factor.sealed_secret = "sealed";
  factor.confirmed_at = k_factor_now + Seconds(1);
  factor.last_used_at = k_factor_now + Seconds(2);
  factor.imported = true;
  factor.next = 1ULL << 40;
  factor.wrong = {7, k_factor_now + Seconds(3)};
  state.factors = {factor, make_factor("two")};
  state.recovery = {"salt",
                    {crypto::HashParams::Algorithm::hmac, 8, 1},
                    {"a", "b"},
                    k_factor_now,
                    {3, k_factor_now}};
  const auto read = decode<FactorsState>(encode(state)).value();
  ASSERT_EQ(read.factors.size(), 2U);
  const Factor& one = read.factors[0];
  EXPECT_EQ(one.id, factor.id);
  EXPECT_EQ(one.params, factor.params);
  EXPECT_EQ(one.name, factor.name);
  EXPECT_EQ(one.sealed_secret, factor.sealed_secret);
  EXPECT_EQ(one.created_at, factor.created_at);
  EXPECT_EQ(one.confirmed_at, factor.confirmed_at);
  EXPECT_EQ(one.last_used_at, factor.last_used_at);
  EXPECT_EQ(one.imported, true);
  EXPECT_EQ(one.next, factor.next);
  EXPECT_EQ(one.wrong, factor.wrong);
  EXPECT_EQ(read.factors[1].params, OathParams{});
  EXPECT_EQ(read.recovery.salt, "salt");
  EXPECT_EQ(read.recovery.params, state.recovery.params);
  EXPECT_EQ(read.recovery.digests, state.recovery.digests);
  EXPECT_EQ(read.recovery.created_at, k_factor_now);
  EXPECT_EQ(read.recovery.wrong, state.recovery.wrong);
}

TEST(FactorsRecord, AFactorOfNoKnownKindIsCorrupt) {
  FactorsState state;
  state.factors = {make_factor("one")};
  state.factors[0].params.digits = 9;
  EXPECT_EQ(decode<FactorsState>(encode(state)).error().kind, Failure::corrupt);
  EXPECT_EQ(decode<FactorsState>("\xff\xff").error().kind, Failure::corrupt);
}

TEST(OtpauthUri, SaysEverything) {
  const std::string secret = "12345678901234567890";
  EXPECT_EQ(otpauth_uri({}, secret, {"ACME & Co", "ada@example.com"}, 0).reveal(),
            "otpauth://totp/ACME%20%26%20Co:ada%40example.com"
            "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=ACME%20%26%20Co"
            "&algorithm=SHA1&digits=6&period=30");
  EXPECT_EQ(otpauth_uri({OathType::hotp, crypto::Digest::sha256, 8, Seconds(30)}, secret,
                        {"otpd", "Zo\xc3\xab"}, 42)
                .reveal(),
            "otpauth://hotp/otpd:Zo%C3%AB?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=otpd"
            "&algorithm=SHA256&digits=8&counter=42");
}

}  // namespace
}  // namespace otpd::otp
