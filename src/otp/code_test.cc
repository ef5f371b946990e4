#include "otp/code.h"

#include <gtest/gtest.h>

#include <array>

#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

// Hands out what it is given, to reach the draws that chance never would.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(std::vector<std::uint64_t> draws) : draws_(std::move(draws)) {}
  void fill(std::span<std::uint8_t> out) override {
    const std::uint64_t value = draws_.at(next_++);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::uint8_t>(value >> (8 * (i % 8)));
    }
  }
  std::size_t drawn() const { return next_; }

 private:
  std::vector<std::uint64_t> draws_;
  std::size_t next_ = 0;
};

TEST(Code, HasItsDigitsWithLeadingZeros) {
  ScriptedRandom random({7, 1'000'042});
  EXPECT_EQ(draw_code(random, 6).reveal(), "000007");
  EXPECT_EQ(draw_code(random, 6).reveal(), "000042");
}

TEST(Code, ThrowsAwayDrawsBeyondTheLastFullRange) {
  constexpr std::uint64_t bound = ~std::uint64_t{0} / 1'000'000 * 1'000'000;
  ScriptedRandom random({~std::uint64_t{0}, bound, bound - 1});
  EXPECT_EQ(draw_code(random, 6).reveal(), "999999");
  EXPECT_EQ(random.drawn(), 3U);
}

// 10^6 codes of 10 digits: every digit equally often in every place (chi-square, 9 degrees of
// freedom, 0.1 % quantile 27.9 for each place; the seed makes the outcome repeatable).
TEST(Code, IsUnbiasedOverTenMillionDigits) {
  SeededRandom random(20'261);
  std::array<std::array<std::int64_t, 10>, 10> seen{};
  constexpr int codes = 1'000'000;
  for (int i = 0; i < codes; ++i) {
    const Secret code = draw_code(random, 10);
    for (std::size_t place = 0; place < 10; ++place) {
      ++seen[place][static_cast<std::size_t>(code.reveal()[place] - '0')];
    }
  }
  for (const auto& place : seen) {
    double chi = 0;
    for (const std::int64_t count : place) {
      const double off = static_cast<double>(count) - codes / 10.0;
      chi += off * off / (codes / 10.0);
    }
    EXPECT_LT(chi, 27.9);
  }
}

TEST(Code, IsExactlyItsAsciiDigits) {
  EXPECT_TRUE(is_code("012345", 6));
  for (const char* text : {"", "12345", "1234567", "12345a", " 12345", "12345\n",
                           "\xd9\xa1\xd9\xa2\xd9\xa3", "-12345", "+12345"}) {
    EXPECT_FALSE(is_code(text, 6)) << text;
  }
}

TEST(Code, HashInputFitsOneVerificationUnderOnePepper) {
  const std::string input(code_hash_input("pepper", "id", "123456").reveal());
  EXPECT_EQ(input.size(), 32U);
  EXPECT_NE(code_hash_input("pepper", "id2", "123456").reveal(), input);
  EXPECT_NE(code_hash_input("other", "id", "123456").reveal(), input);
  // The parts are separated: digits cannot move between id and code.
  EXPECT_NE(code_hash_input("pepper", "id1", "23456").reveal(),
            code_hash_input("pepper", "id", "123456").reveal());
  EXPECT_NE(link_hash("pepper", "id", "123456"), input);
}

// Without the pepper, all 10^6 guesses of a stolen digest fail; with it, one fits. (The keyed
// hash alone, so that a million guesses take a second; Argon2id makes each cost 8 ms.)
TEST(Code, AStolenHashIsUselessWithoutThePepper) {
  const std::string stolen(code_hash_input("the pepper", "id", "481623").reveal());
  int without = 0;
  int with = 0;
  for (int guess = 0; guess < 1'000'000; ++guess) {
    char text[7];
    std::snprintf(text, sizeof text, "%06d", guess);
    without += code_hash_input("", "id", {text, 6}).reveal() == stolen ? 1 : 0;
    with += code_hash_input("the pepper", "id", {text, 6}).reveal() == stolen ? 1 : 0;
  }
  EXPECT_EQ(without, 0);
  EXPECT_EQ(with, 1);
}

}  // namespace
}  // namespace otpd::otp
