#include "otp/repeat.h"

#include <gtest/gtest.h>

#include "otp/test_recipient_fixture.h"

namespace otpd::otp {
namespace {

using testing_recipient::after;
using testing_recipient::Fixture;

constexpr std::string_view k_repeat_key = "0123456789abcdef0123456789abcdef";

Asker repeat_asker(std::string_view caller, std::string_view ip, std::string_view answer) {
  static SeededRandom random{7};
  return make_asker(k_repeat_key, "default", caller, ip, answer, random);
}

// A recipient whose code was accepted at after(1 s), from `asker`.
struct RepeatFixture : Fixture {
  explicit RepeatFixture(Asker who) {
    asker = std::move(who);
    send(after(Millis(0)));
    const auto yes = std::get<Approved>(verify(after(Seconds(1)), "digest 1"));
    remember_answer(*find_verification(state, yes.verification_id), asker, "sealed");
  }
  bool granted(const Asker& who, TimePoint now) {
    asker = who;
    asker.request += "x";  // another request
    return std::holds_alternative<Repeated>(guess(now));
  }
};

TEST(Repeat, OnlyTheSameCallerWithTheSameAnswerIsGranted) {
  struct Case {
    Asker first, second;
    bool granted;
  };
  const Case cases[] = {
      {repeat_asker("", "203.0.113.7", "123456"), repeat_asker("", "203.0.113.7", "123456"), true},
      {repeat_asker("", "203.0.113.7", "123456"), repeat_asker("", "203.0.113.8", "123456"), false},
      {repeat_asker("", "203.0.113.7", "123456"), repeat_asker("", "203.0.113.7", "123457"), false},
      {repeat_asker("shop", "203.0.113.7", "1"), repeat_asker("shop", "203.0.113.8", "1"), true},
      {repeat_asker("shop", "203.0.113.7", "1"), repeat_asker("bank", "203.0.113.7", "1"), false},
      {repeat_asker("shop", "203.0.113.7", "1"), repeat_asker("", "203.0.113.7", "1"), false},
      {repeat_asker("", "shop", "1"), repeat_asker("shop", "", "1"), false},
      {repeat_asker("", "", "1"), repeat_asker("", "", "1"), false},
  };
  for (const Case& one : cases) {
    RepeatFixture f(one.first);
    EXPECT_EQ(f.granted(one.second, after(Seconds(2))), one.granted) << &one - cases;
  }
}

TEST(Repeat, ItIsGrantedForTenSecondsAsEitherClockSeesIt) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  for (const auto& [at, granted] : {std::pair{Millis(1'000), true}, std::pair{Millis(10'999), true},
                                    std::pair{Millis(11'000), false}, std::pair{Millis(500), true},
                                    std::pair{Millis(-9'000), false}}) {
    RepeatFixture f(asker);
    EXPECT_EQ(f.granted(asker, after(at)), granted) << at.count();
  }
}

TEST(Repeat, ItTellsWhatWasApproved) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(asker);
  f.asker.request = "another";
  const auto again = std::get<Repeated>(f.guess(after(Seconds(2))));
  EXPECT_EQ(again.answer.verification_id, "fresh 1");
  EXPECT_EQ(again.answer.purpose, "login");
  EXPECT_EQ(again.sealed_session, "sealed");
}

TEST(Repeat, AnotherAnswerEndsItAndIsToBeWritten) {
  const Asker right = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(right);
  f.asker = repeat_asker("", "203.0.113.7", "123457");
  EXPECT_TRUE(std::get<Gone>(f.guess(after(Seconds(2)))).changed);
  EXPECT_FALSE(f.granted(right, after(Seconds(2))));
  EXPECT_TRUE(f.state.verifications[0].answered.sealed_session.empty());
}

// A store may take a commit back that it has written, when it learns that the code was used before.
TEST(Repeat, NoRequestIsTheRepeatOfItself) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(asker);
  EXPECT_TRUE(std::get<Gone>(f.guess(after(Seconds(2)))).changed);
  EXPECT_FALSE(f.granted(asker, after(Seconds(2))));
}

TEST(Repeat, AStrangersGuessEndsNothing) {
  const Asker right = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(right);
  f.asker = repeat_asker("", "203.0.113.8", "123457");
  EXPECT_FALSE(std::get<Gone>(f.guess(after(Seconds(2)))).changed);
  EXPECT_TRUE(f.granted(right, after(Seconds(2))));
}

TEST(Repeat, AGuessOfAnotherLengthEndsNothing) {
  const Asker right = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(right);
  f.asker = repeat_asker("", "203.0.113.7", "12345");
  EXPECT_TRUE(std::holds_alternative<BadCode>(f.guess(after(Seconds(2)), 5)));
  EXPECT_TRUE(f.granted(right, after(Seconds(2))));
}

TEST(Repeat, ItIsGrantedSixteenTimes) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(asker);
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(f.granted(asker, after(Seconds(2)))) << i;
  EXPECT_FALSE(f.granted(asker, after(Seconds(2))));
}

TEST(Repeat, AGuessThatWasHashedMeanwhileIsARepeatAndCostsNoGuess) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  Fixture f;
  f.asker = asker;
  f.send(after(Millis(0)));
  const auto one = std::get<Reserved>(f.guess(after(Seconds(1))));
  const auto two = std::get<Reserved>(f.guess(after(Seconds(1))));
  ASSERT_TRUE(std::holds_alternative<Approved>(
      settle(f.state, one.verification_id, "digest 1", asker, after(Seconds(1)))));
  remember_answer(*find_verification(f.state, one.verification_id), asker, "sealed");
  Asker other = asker;
  other.request = "another";
  EXPECT_TRUE(std::holds_alternative<Repeated>(
      settle(f.state, two.verification_id, "digest 1", other, after(Seconds(1)))));
  EXPECT_TRUE(f.state.guesses.empty());
}

TEST(Repeat, WhatNobodyCanHaveAgainIsForgotten) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(asker);
  expire(f.state, after(Millis(10'999)));
  EXPECT_FALSE(f.state.verifications[0].answered.sealed_session.empty());
  expire(f.state, after(Millis(11'000)));
  EXPECT_TRUE(f.state.verifications[0].answered.caller.empty());
  EXPECT_TRUE(f.state.verifications[0].answered.proof.empty());
  EXPECT_TRUE(f.state.verifications[0].answered.sealed_session.empty());
}

TEST(Repeat, TheRecordKeepsItAndNotTheAnswer) {
  const Asker asker = repeat_asker("", "203.0.113.7", "123456");
  RepeatFixture f(asker);
  EXPECT_TRUE(f.granted(asker, after(Seconds(2))));
  const std::string bytes = encode(f.state);
  EXPECT_FALSE(bytes.contains(asker.answer));
  auto read = decode<RecipientState>(bytes).value();
  EXPECT_EQ(read.verifications[0].answered.repeats, 1U);
  EXPECT_EQ(read.verifications[0].answered.request, asker.request);
  f.asker = asker;
  f.asker.request = "another";
  EXPECT_EQ(repeat(&read.verifications[0], f.asker, after(Seconds(2))), Repeat::granted);
}

}  // namespace
}  // namespace otpd::otp
