#include "otp/captcha.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <set>

#include "otp/test_captcha_solver.h"

namespace otpd::otp {
namespace {

using testing_captcha::solve;

constexpr TimePoint k_captcha_now{Seconds(1'800'000'000)};
constexpr Friction k_easy{.captcha_cost = 100, .captcha_work = 10};

class Captcha : public ::testing::Test {
 protected:
  CaptchaChallenge make(std::uint32_t level = 0) {
    return make_captcha(keys_, k_easy, binding_, level, random_, k_captcha_now);
  }
  CaptchaChallengeV1 make_v1(std::uint32_t level = 0) {
    const Friction friction{.captcha_cost = 100, .captcha_work = 1};
    return make_captcha_v1(keys_, friction, binding_, level, random_, k_captcha_now);
  }
  // "" for a proof.
  std::string_view verdict(const CaptchaAnswer& answer, TimePoint now = k_captcha_now) {
    const auto proof = check_captcha(keys_, answer, now);
    return proof ? "" : proof.error();
  }

  SeededRandom random_{7};
  CaptchaKeys keys_ = CaptchaKeys::derive("index key", "default");
  std::string binding_ = captcha_binding(keys_, "login", "recipient", "hash");
};

TEST_F(Captcha, ASolutionIsAProofOfWhatWasSigned) {
  const CaptchaChallenge challenge = make(2);
  const auto proof = check_captcha(keys_, solve(challenge), k_captcha_now);
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->binding, binding_);
  EXPECT_EQ(proof->level, 2U);
  EXPECT_EQ(proof->expires_at, k_captcha_now + Seconds(300));
  EXPECT_EQ(proof->id, check_captcha(keys_, solve(challenge), k_captcha_now)->id);
  EXPECT_NE(proof->id, check_captcha(keys_, solve(make(2)), k_captcha_now)->id);
}

TEST_F(Captcha, TheSignedTextIsSortedJson) {
  EXPECT_TRUE(make(1).parameters.json().starts_with(
      R"({"algorithm":"PBKDF2/SHA-256","cost":100,"data":{"binding":")" + binding_ +
      R"(","level":1},"expiresAt":1800000300,"keyLength":32,"keyPrefix":")"));
}

TEST_F(Captcha, NothingThatIsSignedCanBeChanged) {
  const CaptchaSolution good = solve(make(1));
  ASSERT_EQ(verdict(good), "");
  const std::pair<const char*, std::function<void(CaptchaParameters&)>> changes[] = {
      {"algorithm", [](auto& p) { p.algorithm = "SHA-256"; }},
      {"cost", [](auto& p) { p.cost = 1; }},
      {"binding", [](auto& p) { p.binding[0] = p.binding[0] == '0' ? '1' : '0'; }},
      {"level", [](auto& p) { p.level = 6; }},
      {"expires_at", [](auto& p) { p.expires_at += 1; }},
      {"key_length", [](auto& p) { p.key_length = 1; }},
      {"key_prefix", [](auto& p) { p.key_prefix = "00"; }},
      {"key_signature", [](auto& p) { p.key_signature = std::string(64, '0'); }},
      {"nonce", [](auto& p) { p.nonce = std::string(32, '0'); }},
      {"salt", [](auto& p) { p.salt = std::string(32, '0'); }}};
  for (const auto& [name, change] : changes) {
    CaptchaSolution forged = good;
    change(forged.challenge.parameters);
    EXPECT_EQ(verdict(forged), "forged") << name;
  }
  CaptchaSolution unsigned_one = good;
  unsigned_one.challenge.signature.clear();
  EXPECT_EQ(verdict(unsigned_one), "forged");
  const CaptchaKeys others = CaptchaKeys::derive("index key", "another application");
  EXPECT_EQ(check_captcha(others, good, k_captcha_now).error(), "forged");
}

TEST_F(Captcha, NoWorkIsNoProof) {
  const CaptchaChallenge challenge = make();
  const std::string prefix = challenge.parameters.key_prefix;
  const std::string no_work = hex_encode(crypto::pbkdf2_sha256(
      hex_decode(challenge.parameters.nonce).value() + std::string(4, '\0'),
      hex_decode(challenge.parameters.salt).value(), challenge.parameters.cost, 32));
  for (const std::string& key : {std::string(), prefix, prefix + prefix, std::string(64, '0'),
                                 std::string("not hexadecimal"), no_work}) {
    EXPECT_EQ(verdict(CaptchaSolution{challenge, key}), "unsolved") << key;
  }
}

TEST_F(Captcha, EndsWithItsLifeToTheMillisecond) {
  const CaptchaSolution v2 = solve(make());
  const CaptchaSolutionV1 v1 = solve(make_v1());
  for (const CaptchaAnswer& answer : {CaptchaAnswer(v2), CaptchaAnswer(v1)}) {
    EXPECT_EQ(verdict(answer, k_captcha_now + Seconds(300) - Millis(1)), "");
    EXPECT_EQ(verdict(answer, k_captcha_now + Seconds(300)), "expired");
  }
}

TEST_F(Captcha, Version1IsAProofToo) {
  const CaptchaChallengeV1 challenge = make_v1(1);
  const auto proof = check_captcha(keys_, solve(challenge), k_captcha_now);
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->binding, binding_);
  EXPECT_EQ(proof->level, 1U);
  EXPECT_EQ(challenge.max_number, 800U);
}

TEST_F(Captcha, Version1CannotBeCutAnew) {
  const CaptchaSolutionV1 good = solve(make_v1());
  ASSERT_EQ(verdict(good), "");
  CaptchaSolutionV1 longer = good;  // a later deadline out of the number's digits
  const std::string number = std::to_string(good.number);
  longer.salt.pop_back();
  EXPECT_EQ(verdict(longer), "forged");
  longer.salt = good.salt + number.substr(0, 1);
  EXPECT_EQ(verdict(longer), "forged");
  for (const auto& [from, to] :
       {std::pair("expires=18", "expires=99"), std::pair("level=0", "level=6"),
        std::pair("binding=", "binding=0")}) {
    CaptchaSolutionV1 forged = good;
    forged.salt.replace(forged.salt.find(from), std::string_view(from).size(), to);
    EXPECT_NE(verdict(forged), "") << to;
  }
  CaptchaSolutionV1 other = good;
  ++other.number;
  EXPECT_EQ(verdict(other), "unsolved");
  other = good;
  other.challenge[0] = other.challenge[0] == '0' ? '1' : '0';
  EXPECT_EQ(verdict(other), "forged");
  other.salt.clear();
  EXPECT_EQ(verdict(other), "forged");
}

// What is hashed stays the same text when digits move from the number into the salt.
TEST_F(Captcha, Version1DigitsOfTheNumberAreNoLevel) {
  CaptchaSolutionV1 cut;
  std::string number;
  while (number.size() < 2 || number[1] == '0') {
    cut = solve(make_captcha_v1(keys_, {.captcha_cost = 1, .captcha_work = 100}, binding_, 1,
                                random_, k_captcha_now));
    number = std::to_string(cut.number);
  }
  ASSERT_EQ(verdict(cut), "");
  cut.salt += number[0];
  cut.number = static_cast<std::uint32_t>(std::stoul(number.substr(1)));
  EXPECT_EQ(verdict(cut), "forged");
}

TEST_F(Captcha, EachLevelDoublesTheWork) {
  const auto mean = [&](std::uint32_t level) {
    double sum = 0;
    constexpr int k_rounds = 400;
    for (int i = 0; i < k_rounds; ++i) {
      const Friction friction{.captcha_cost = 1, .captcha_work = 10};
      const auto made = make_captcha_v1(keys_, friction, binding_, level, random_, k_captcha_now);
      EXPECT_EQ(made.max_number, 40U << level);
      sum += solve(made).number;
    }
    return sum / k_rounds;
  };
  EXPECT_NEAR(mean(0), 20, 3);
  EXPECT_NEAR(mean(3), 160, 24);
}

TEST_F(Captcha, BindingsTellPurposesKindsAndSubjectsApart) {
  std::set<std::string> all;
  for (const char* purpose : {"login", "transaction"}) {
    for (const char* kind : {"recipient", "ip"}) {
      for (const char* hash : {"a", "b"}) all.insert(captcha_binding(keys_, purpose, kind, hash));
    }
  }
  EXPECT_EQ(all.size(), 8U);
}

TEST_F(Captcha, IsRedeemedForOneSendOnly) {
  CaptchaState state;
  EXPECT_TRUE(redeem(state, "first"));
  EXPECT_TRUE(redeem(state, "first"));
  EXPECT_FALSE(redeem(state, "second"));
  EXPECT_EQ(decode<CaptchaState>(encode(state))->admission_id, "first");
}

TEST_F(Captcha, CheckingCostsUnderFiftyMicrosecondsOfCpu) {
  const CaptchaAnswer answer = solve(make());
  constexpr int k_rounds = 2'000;
  const std::clock_t begun = std::clock();
  for (int i = 0; i < k_rounds; ++i) ASSERT_TRUE(check_captcha(keys_, answer, k_captcha_now));
  const double each_us =
      1e6 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC / k_rounds;
  RecordProperty("cpu_us", std::to_string(each_us));
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && \
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LT(each_us, 50);
#else
  EXPECT_LT(each_us, 1'000);
#endif
}

}  // namespace
}  // namespace otpd::otp
