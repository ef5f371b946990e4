// Factors: enrolled, confirmed, used once, closed, opened, removed; and the audit line of each.
#include "house.h"
#include "otp/factors.h"
#include "otp/keys.h"

namespace otpd::usecase {
namespace {

using storage::await;

constexpr const char* k_other_user = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

class FactorUseCase : public UseCase {
 protected:
  otp::Enrolled enrol(otp::OathType type = otp::OathType::totp, std::string_view secret = {}) {
    otp::EnrolRequest request{.user_id = k_user, .params = {.type = type}};
    request.secret = Secret(std::string(secret));
    request.client_ip = k_ip;
    auto outcome = await(house_.factors.enrol(std::move(request))).value();
    return std::move(std::get<otp::Enrolled>(outcome));
  }
  otp::Enrolled enrol_confirmed() {
    auto enrolled = enrol();
    EXPECT_TRUE(std::holds_alternative<otp::CodeAccepted>(confirm(enrolled, code_of(enrolled))));
    house_.world.clock.advance(Seconds(30));
    return enrolled;
  }
  std::string code_of(const otp::Enrolled& enrolled) {
    const auto step = otp::time_step({}, house_.world.clock.now());
    return std::string(otp::oath_code({}, enrolled.secret.reveal(), step).reveal());
  }
  static std::string hotp_of(const otp::Enrolled& enrolled, std::uint64_t counter) {
    return std::string(otp::oath_code({}, enrolled.secret.reveal(), counter).reveal());
  }
  static otp::FactorGuess guess_of(const otp::Enrolled& enrolled, std::string code,
                                   std::string following = {}, std::string user = k_user) {
    return {std::move(user), enrolled.factor_id, Secret(std::move(code)),
            Secret(std::move(following)), k_ip};
  }
  otp::FactorOutcome confirm(const otp::Enrolled& enrolled, std::string code) {
    return await(house_.factors.confirm(guess_of(enrolled, std::move(code)))).value();
  }
  otp::FactorOutcome verify(const otp::Enrolled& enrolled, std::string code,
                            std::string following = {}) {
    return await(house_.factors.verify(guess_of(enrolled, std::move(code), std::move(following))))
        .value();
  }
  bool is_accepted(const otp::Enrolled& enrolled, std::string code) {
    return std::holds_alternative<otp::CodeAccepted>(verify(enrolled, std::move(code)));
  }
  std::vector<Secret> make_codes() {
    return await(house_.factors.make_recovery_codes(k_user, k_ip)).value();
  }
  otp::RecoveryOutcome recover(std::string_view code) {
    return await(house_.factors.verify_recovery(k_user, otp::find_recovery_code(code), k_ip))
        .value();
  }
  otp::FactorsState listed() { return await(house_.factors.list(k_user)).value(); }
  std::string stored() {
    return house_.world
        .load(otp::factors_key(
            otp::keyed_hash(house_.keys.index_key(), "factors", house_.rules.application, k_user)))
        .bytes;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, FactorUseCase, k_houses, storage::backend_name);

TEST_P(FactorUseCase, IsGoodForNothingBeforeItsFirstCode) {
  const auto enrolled = enrol();
  EXPECT_EQ(enrolled.secret.size(), 20U);
  EXPECT_TRUE(std::holds_alternative<otp::NoSuchFactor>(verify(enrolled, code_of(enrolled))));
  EXPECT_TRUE(std::get<otp::CodeAccepted>(confirm(enrolled, code_of(enrolled))).confirmed);
  EXPECT_FALSE(is_accepted(enrolled, code_of(enrolled)));
  house_.world.clock.advance(Seconds(30));
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  EXPECT_FALSE(is_accepted(enrolled, code_of(enrolled)));
  for (const auto what :
       {type::k_factor_enrolled, type::k_factor_confirmed, type::k_factor_verify_success}) {
    const auto lines = house_.events(what);
    ASSERT_EQ(lines.size(), 1U) << what;
    EXPECT_EQ(lines[0].user_id, k_user);
    EXPECT_EQ(lines[0].ip_address, k_ip);
    EXPECT_EQ(lines[0].detail, otp::factor_id_text(enrolled.factor_id));
  }
  EXPECT_EQ(house_.events(type::k_factor_verify_fail).size(), 2U);
}

TEST_P(FactorUseCase, AnEnrolmentEndsByItself) {
  const auto enrolled = enrol();
  house_.world.clock.advance(enrolled.expires_in);
  EXPECT_TRUE(std::holds_alternative<otp::NoSuchFactor>(confirm(enrolled, code_of(enrolled))));
  EXPECT_TRUE(listed().factors.empty());
}

TEST_P(FactorUseCase, AnImportedOneIsConfirmedByAnyRightCodeAtAnyTime) {
  const std::string secret = "an existing secret..";
  const auto enrolled = enrol(otp::OathType::totp, secret);
  house_.world.clock.advance(std::chrono::days(400));
  EXPECT_FALSE(listed().factors.at(0).is_confirmed());
  EXPECT_TRUE(std::get<otp::CodeAccepted>(verify(enrolled, code_of(enrolled))).confirmed);
  EXPECT_TRUE(listed().factors.at(0).is_confirmed());
}

TEST_P(FactorUseCase, StepsBackOfTheClockOpenNothing) {
  const auto enrolled = enrol_confirmed();
  ASSERT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  for (const int seconds : {30, 60, 3'600}) {
    house_.world.clock.advance(-Seconds(seconds));
    EXPECT_FALSE(is_accepted(enrolled, code_of(enrolled))) << seconds;
    house_.world.clock.advance(Seconds(seconds));
  }
  house_.world.clock.advance(Seconds(30));
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
}

TEST_P(FactorUseCase, ClosesByWrongCodesOnEveryWayInAndIsOpenedByTheCaller) {
  const auto enrolled = enrol_confirmed();
  const auto other = enrol();
  for (int i = 0; i < 5; ++i) verify(enrolled, other_code(code_of(enrolled)));
  EXPECT_TRUE(std::holds_alternative<otp::FactorClosed>(verify(enrolled, code_of(enrolled))));
  EXPECT_TRUE(std::holds_alternative<otp::FactorClosed>(confirm(enrolled, code_of(enrolled))));
  EXPECT_TRUE(std::holds_alternative<otp::CodeAccepted>(confirm(other, code_of(other))));
  EXPECT_EQ(house_.events(type::k_factor_locked).size(), 1U);
  EXPECT_EQ(house_.events(type::k_limited).size(), 2U);

  EXPECT_TRUE(await(house_.factors.unlock(k_user, k_ip)).value());
  EXPECT_FALSE(await(house_.factors.unlock(k_user, k_ip)).value());
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  EXPECT_EQ(house_.events(type::k_factor_unlocked).size(), 1U);
}

TEST_P(FactorUseCase, WhatIsNoCodeCostsNoGuess) {
  const auto enrolled = enrol_confirmed();
  for (const char* text : {"", "12345", "1234567", "12345a", "١٢٣٤٥٦"}) {
    EXPECT_EQ(std::get<otp::NotACode>(verify(enrolled, text)).digits, 6U) << text;
  }
  EXPECT_TRUE(std::holds_alternative<otp::NotACode>(verify(enrolled, "123456", "654321")));
  EXPECT_EQ(listed().factors.at(0).wrong.count, 0U);
}

TEST_P(FactorUseCase, HotpLooksAheadAndIsFoundAgainByTwoCodes) {
  const auto enrolled = enrol(otp::OathType::hotp);
  ASSERT_TRUE(std::holds_alternative<otp::CodeAccepted>(confirm(enrolled, hotp_of(enrolled, 0))));
  EXPECT_TRUE(is_accepted(enrolled, hotp_of(enrolled, 9)));
  EXPECT_FALSE(is_accepted(enrolled, hotp_of(enrolled, 5)));
  EXPECT_FALSE(is_accepted(enrolled, hotp_of(enrolled, 300)));
  const auto found = verify(enrolled, hotp_of(enrolled, 300), hotp_of(enrolled, 301));
  EXPECT_TRUE(std::holds_alternative<otp::CodeAccepted>(found));
  EXPECT_TRUE(is_accepted(enrolled, hotp_of(enrolled, 302)));
}

TEST_P(FactorUseCase, AnotherUserHasNoneOfIt) {
  const auto enrolled = enrol_confirmed();
  const auto outcome =
      await(house_.factors.verify(guess_of(enrolled, code_of(enrolled), {}, k_other_user))).value();
  EXPECT_TRUE(std::holds_alternative<otp::NoSuchFactor>(outcome));
  EXPECT_FALSE(await(house_.factors.remove(k_other_user, enrolled.factor_id, k_ip)).value());
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
}

TEST_P(FactorUseCase, RemovedIsGone) {
  const auto enrolled = enrol_confirmed();
  EXPECT_TRUE(await(house_.factors.remove(k_user, enrolled.factor_id, k_ip)).value());
  EXPECT_FALSE(await(house_.factors.remove(k_user, enrolled.factor_id, k_ip)).value());
  EXPECT_TRUE(std::holds_alternative<otp::NoSuchFactor>(verify(enrolled, code_of(enrolled))));
  EXPECT_EQ(stored(), "");
  EXPECT_EQ(house_.events(type::k_factor_removed).size(), 1U);
}

TEST_P(FactorUseCase, ThereIsABound) {
  house_.rules.factors.max_per_user = 1;
  enrol_confirmed();
  otp::EnrolRequest request{.user_id = k_user, .client_ip = k_ip};
  EXPECT_TRUE(std::holds_alternative<otp::TooManyFactors>(
      await(house_.factors.enrol(std::move(request))).value()));
}

TEST_P(FactorUseCase, TheStoreHoldsNoSecretAndNoRecoveryCode) {
  const auto enrolled = enrol_confirmed();
  const auto codes = make_codes();
  const std::string bytes = stored();
  EXPECT_FALSE(bytes.contains(enrolled.secret.reveal()));
  for (const Secret& code : codes) {
    EXPECT_FALSE(bytes.contains(code.reveal()));
    EXPECT_FALSE(bytes.contains(otp::find_recovery_code(code.reveal()).reveal()));
  }
}

TEST_P(FactorUseCase, AfterARotationItIsSealedAnewWhenItIsUsed) {
  const auto enrolled = enrol_confirmed();
  const auto sealed = [&] { return listed().factors.at(0).sealed_secret; };
  const std::string before = sealed();
  house_.keys.rotate(house_.world.clock.now(), house_.random);
  EXPECT_FALSE(is_accepted(enrolled, other_code(code_of(enrolled))));
  EXPECT_EQ(sealed(), before);
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  const std::string after = sealed();
  EXPECT_NE(after, before);
  EXPECT_EQ(after.substr(1, 4), std::string("\x02\0\0\0", 4));
  house_.world.clock.advance(Seconds(30));
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  EXPECT_EQ(sealed(), after);
}

TEST_P(FactorUseCase, RecoveryCodesAreUsedOnceAndMadeAnewAsASet) {
  house_.rules.hash = k_small_argon;
  EXPECT_TRUE(std::holds_alternative<otp::NoRecoveryCodes>(recover("00000-00000")));
  const auto codes = make_codes();
  ASSERT_EQ(codes.size(), 10U);
  EXPECT_EQ(house_.hashed(), 10);
  EXPECT_EQ(std::get<otp::RecoveryAccepted>(recover(codes[3].reveal())).left, 9U);
  EXPECT_TRUE(std::holds_alternative<otp::CodeRefused>(recover(codes[3].reveal())));
  const auto fresh = make_codes();
  EXPECT_TRUE(std::holds_alternative<otp::CodeRefused>(recover(codes[0].reveal())));
  house_.keys.rotate(house_.world.clock.now(), house_.random);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    EXPECT_EQ(std::get<otp::RecoveryAccepted>(recover(fresh[i].reveal())).left, 9 - i);
  }
  EXPECT_TRUE(std::holds_alternative<otp::NoRecoveryCodes>(recover(fresh[0].reveal())));
  EXPECT_EQ(house_.events(type::k_factor_recovery_made).size(), 2U);
  EXPECT_EQ(house_.events(type::k_factor_recovery_used).size(), 11U);
  EXPECT_EQ(house_.events(type::k_factor_recovery_fail).size(), 2U);
}

TEST_P(FactorUseCase, RecoveryCodesCloseByThemselves) {
  house_.rules.hash = k_small_argon;
  const auto enrolled = enrol_confirmed();
  const auto codes = make_codes();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(std::get<otp::CodeRefused>(recover("00000-00000")).closed_for, Millis(0));
  }
  EXPECT_EQ(std::get<otp::CodeRefused>(recover("00000-00000")).closed_for, Seconds(30));
  const int hashed = house_.hashed();
  EXPECT_TRUE(std::holds_alternative<otp::FactorClosed>(recover(codes[0].reveal())));
  EXPECT_EQ(house_.hashed(), hashed);
  EXPECT_TRUE(is_accepted(enrolled, code_of(enrolled)));
  house_.world.clock.advance(Seconds(30));
  EXPECT_TRUE(std::holds_alternative<otp::RecoveryAccepted>(recover(codes[0].reveal())));
}

TEST_P(FactorUseCase, AnAnswerThatIsLostOpensNothingTwice) {
  const auto enrolled = enrol_confirmed();
  for (const Fault fault : {Fault::before, Fault::after}) {
    house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
      return operation == Operation::commit ? fault : Fault::none;
    };
    const std::string code = code_of(enrolled);
    EXPECT_FALSE(await(house_.factors.verify(guess_of(enrolled, code))).has_value());
    house_.store.script = nullptr;
    EXPECT_EQ(is_accepted(enrolled, code), fault == Fault::before);
    house_.world.clock.advance(Seconds(30));
  }
}

}  // namespace
}  // namespace otpd::usecase
