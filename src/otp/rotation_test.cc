#include "otp/rotation.h"

#include <gtest/gtest.h>

#include "otp/ids.h"
#include "otp/repeat.h"

namespace otpd::otp {
namespace {

using What = RotationOutcome::What;

constexpr Seconds k_idle_life{3'600};
constexpr TimePoint k_first{Millis(1'800'000'000'000)};

// The nth token of one session: the same beginning, then something else.
TokenHashes token(char nth, char family = 'f') {
  return TokenHashes::of(std::string(k_session_family_bytes, family) +
                         std::string(k_session_secret_bytes - k_session_family_bytes, nth));
}

class Rotating : public ::testing::Test {
 protected:
  Rotating() {
    for (const char family : {'f', 'g'}) {
      state_.sessions.push_back({.token_hash = token('1', family).token,
                                 .id = std::string(1, family),
                                 .created_at = k_first,
                                 .expires_at = k_first + Seconds(86'400),
                                 .purpose = "login",
                                 .user_id = "u",
                                 .device = {},
                                 .last_used_at = k_first,
                                 .rotation = {}});
    }
  }
  RotationOutcome turn(char presented, char next, Millis at, std::string_view caller = "web") {
    const TokenHashes now = token(presented);
    const TokenHashes then = token(next);
    const std::string sealed = std::string("sealed ") + next;
    return rotate(state_, {now, then, sealed, caller, k_idle_life}, k_first + at);
  }
  bool opens(char nth, Millis at) {
    return find_session(state_, token(nth).token, k_idle_life, k_first + at) != nullptr;
  }
  SessionsState state_;
};

TEST_F(Rotating, TheNewTokenOpensTheSameSessionAndTheOldNothing) {
  const auto outcome = turn('1', '2', Seconds(60));
  EXPECT_EQ(outcome.what, What::rotated);
  EXPECT_EQ(outcome.session.id, "f");
  EXPECT_EQ(outcome.session.expires_at, k_first + Seconds(86'400));
  EXPECT_EQ(outcome.session.last_used_at, k_first + Seconds(60));
  EXPECT_FALSE(opens('1', Seconds(60)));
  EXPECT_TRUE(opens('2', Seconds(60)));
  EXPECT_TRUE(find_session(state_, token('1', 'g').token, k_idle_life, k_first));
}

TEST_F(Rotating, ATokenThatWasNeverOneChangesNothing) {
  EXPECT_EQ(turn('9', '2', Seconds(1)).what, What::none);
  turn('1', '2', Seconds(1));
  const TokenHashes stranger = token('1', 'x');
  const TokenHashes next = token('2', 'x');
  EXPECT_EQ(rotate(state_, {stranger, next, "s", "web", k_idle_life}, k_first).what, What::none);
  EXPECT_EQ(state_.sessions.size(), 2U);
}

TEST_F(Rotating, WhoLostTheAnswerHearsItAgainForTenSeconds) {
  struct Case {
    Millis later;
    std::string_view caller;
    What what;
  };
  for (const auto& [later, caller, what] : {
           Case{Millis(0), "web", What::repeated},
           Case{Millis(9'999), "web", What::repeated},
           Case{Millis(10'000), "web", What::reused},
           Case{-Millis(9'999), "web", What::repeated},  // another process has another clock
           Case{-Millis(10'000), "web", What::reused},
           Case{Millis(1), "app", What::reused},
           Case{Millis(1), "", What::reused},
       }) {
    const SessionsState before = state_;
    turn('1', '2', Seconds(60));
    const auto again = turn('1', '3', Seconds(60) + later, caller);
    EXPECT_EQ(again.what, what) << later.count() << caller;
    EXPECT_EQ(again.session.id, "f");
    if (what == What::repeated) {
      EXPECT_EQ(again.session.token_hash, token('2').token);
      EXPECT_EQ(again.session.rotation.sealed_next, "sealed 2");
      EXPECT_TRUE(opens('2', Seconds(60)));
    } else {
      EXPECT_EQ(state_.sessions.size(), 1U);
    }
    EXPECT_FALSE(opens('3', Seconds(60)));
    state_ = before;
  }
}

TEST_F(Rotating, NobodyInParticularHearsNothingAgain) {
  turn('1', '2', Seconds(60), "");
  EXPECT_EQ(turn('1', '3', Seconds(60), "").what, What::reused);
}

TEST_F(Rotating, RepeatsAreCounted) {
  turn('1', '2', Seconds(60));
  for (std::uint32_t i = 0; i < k_max_repeats; ++i) {
    EXPECT_EQ(turn('1', '3', Seconds(60)).what, What::repeated);
  }
  EXPECT_EQ(turn('1', '3', Seconds(60)).what, What::reused);
}

// A thief that rotates on and on does not make the first token be forgotten.
TEST_F(Rotating, AnOldTokenIsKnownHoweverManyRotationsAgo) {
  for (char nth = 'A'; nth < 'Z'; ++nth) {
    const char from = nth == 'A' ? '1' : static_cast<char>(nth - 1);
    ASSERT_EQ(turn(from, nth, Seconds(nth)).what, What::rotated);
  }
  EXPECT_EQ(turn('1', '2', Seconds(90)).what, What::reused);
  EXPECT_FALSE(opens('Y', Seconds(90)));
}

TEST_F(Rotating, ASessionThatHasEndedIsNotReused) {
  turn('1', '2', Seconds(1));
  EXPECT_EQ(turn('1', '3', Seconds(7'200)).what, What::none);
  EXPECT_EQ(turn('2', '3', Seconds(7'200)).what, What::none);
}

TEST_F(Rotating, TheNewTokenIsForgottenWhenNobodyCanHearItAgain) {
  turn('1', '2', Seconds(60));
  forget_rotations(state_, k_first + Seconds(70) - Millis(1));
  EXPECT_FALSE(state_.sessions[0].rotation.sealed_next.empty());
  forget_rotations(state_, k_first + Seconds(70));
  EXPECT_TRUE(state_.sessions[0].rotation.sealed_next.empty());
  EXPECT_TRUE(state_.sessions[0].rotation.from_hash.empty());
  EXPECT_EQ(turn('1', '3', Seconds(71)).what, What::reused);  // but the family is still known
}

TEST_F(Rotating, TheUseOfAnOldTokenIsToldOnceAMinute) {
  turn('1', '2', Seconds(60));
  const auto tells = [&](char nth, Millis at) {
    return tell_reuse(state_.sessions[0], token(nth), k_first + at);
  };
  EXPECT_FALSE(tells('1', Seconds(61)));  // on its way when the token changed
  EXPECT_TRUE(tells('0', Seconds(61)));
  EXPECT_FALSE(tells('1', Seconds(120)));
  EXPECT_TRUE(tells('1', Seconds(121)));
}

}  // namespace
}  // namespace otpd::otp
