// Rotation: a token changed for another, the answer that got lost, the copy that turns up.
#include <set>
#include <thread>

#include "session_house.h"

namespace otpd::usecase {
namespace {

using storage::await;

class RotationUseCase : public SessionHouse {
 protected:
  std::vector<std::string> reuses() {
    std::vector<std::string> details;
    for (const auto& line : house_.events(type::k_session_reuse)) details.push_back(line.detail);
    return details;
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, RotationUseCase, k_houses, storage::backend_name);

TEST_P(RotationUseCase, TheSessionStaysAndItsTokenIsAnother) {
  const otp::SessionToken first = open();
  const otp::Session before = list()[0];
  house_.world.clock.advance(Seconds(3'600));
  const auto told = await(house_.sessions.rotate(first, "web", k_ip)).value();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->id, before.id);
  EXPECT_EQ(told->expires_in, Seconds(86'400 - 3'600));
  const auto second = otp::SessionToken::parse(told->token.reveal());
  ASSERT_TRUE(second);
  EXPECT_NE(second->secret.reveal(), first.secret.reveal());
  EXPECT_FALSE(is_live(first));
  EXPECT_TRUE(is_live(*second));
  const otp::Session after = list()[0];
  EXPECT_EQ(after.id, before.id);
  EXPECT_EQ(after.expires_at, before.expires_at);
  const auto lines = house_.events(type::k_session_rotated);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].user_id, k_user);
  EXPECT_EQ(lines[0].ip_address, k_ip);
  EXPECT_EQ(lines[0].purpose, "login");
}

TEST_P(RotationUseCase, ALostAnswerIsHeardAgainByItsCaller) {
  const otp::SessionToken first = open();
  const auto second = rotate(first);
  house_.world.clock.advance(Millis(9'999));
  const auto again = rotate(first);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->secret.reveal(), second->secret.reveal());
  EXPECT_TRUE(is_live(*again));
  EXPECT_TRUE(reuses().empty());
  const auto lines = house_.events(type::k_session_rotated);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].detail + lines[1].detail, "repeat");
}

TEST_P(RotationUseCase, ACopyThatIsRotatedEndsTheSession) {
  for (const bool late : {true, false}) {
    const otp::SessionToken first = open();
    const auto second = rotate(first);
    if (late) house_.world.clock.advance(Seconds(10));
    EXPECT_FALSE(rotate(first, late ? "web" : "another"));
    EXPECT_FALSE(is_live(*second));
    EXPECT_FALSE(rotate(*second));
  }
  EXPECT_EQ(reuses(), (std::vector<std::string>{"rotate", "rotate"}));
  const auto ended = house_.events(type::k_session_revoked);
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].detail, "reuse");
}

TEST_P(RotationUseCase, TheOwnerIsNotLockedOutByAStrangersGuess) {
  const otp::SessionToken first = open();
  const auto second = rotate(first);
  house_.world.clock.advance(Seconds(60));
  const otp::SessionToken guess{first.user_hash,
                                Secret(std::string(otp::k_session_secret_bytes, 'g'))};
  EXPECT_FALSE(rotate(guess));
  EXPECT_TRUE(is_live(*second));
  EXPECT_TRUE(reuses().empty());
}

TEST_P(RotationUseCase, ACopyThatIsLookedAtIsWrittenDownOnceAMinute) {
  const otp::SessionToken first = open();
  const auto second = rotate(first);
  EXPECT_FALSE(is_live(first));  // may have been on its way
  EXPECT_TRUE(reuses().empty());
  house_.world.clock.advance(Seconds(60));
  for (int look = 0; look < 3; ++look) EXPECT_FALSE(is_live(first));
  EXPECT_EQ(reuses(), std::vector<std::string>{"introspect"});
  EXPECT_TRUE(is_live(*second));
}

TEST_P(RotationUseCase, RevokingAnOldTokenEndsTheSession) {
  const otp::SessionToken first = open();
  const auto second = rotate(first);
  revoke(first);
  EXPECT_FALSE(is_live(*second));
  EXPECT_TRUE(reuses().empty());  // its client may have lost the answer
  const otp::SessionToken third = open();
  const auto fourth = rotate(third);
  house_.world.clock.advance(Seconds(10));
  revoke(third);
  EXPECT_FALSE(is_live(*fourth));
  EXPECT_EQ(reuses(), std::vector<std::string>{"revoke"});
  EXPECT_EQ(house_.events(type::k_session_revoked).size(), 2U);
}

TEST_P(RotationUseCase, AnEndedSessionIsNotRotated) {
  const otp::SessionToken first = open();
  revoke(first);
  EXPECT_FALSE(rotate(first));
  const otp::SessionToken second = open();
  house_.world.clock.advance(Seconds(86'400));
  EXPECT_FALSE(rotate(second));
  EXPECT_TRUE(house_.events(type::k_session_rotated).empty());
}

// A page with several tabs rotates several times at once: one new token, and all hear it.
TEST_P(RotationUseCase, RacersOfOneCallerHearOneToken) {
  constexpr std::size_t k_racers = 8;
  const otp::SessionToken first = open();
  std::vector<std::string> heard(k_racers);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < k_racers; ++i) {
    threads.emplace_back([&, i] {
      const auto rotated = await(house_.sessions.rotate(first, "web", k_ip));
      if (rotated && *rotated) heard[i] = (*rotated)->token.reveal();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(heard.begin(), heard.end()).size(), 1U);
  EXPECT_TRUE(is_live(otp::SessionToken::parse(heard[0]).value()));
  EXPECT_EQ(list().size(), 1U);
  EXPECT_TRUE(reuses().empty());
}

// The store answers that it failed, and has written: the client repeats, and nobody is a thief.
TEST_P(RotationUseCase, ALostCommitIsRepeated) {
  const otp::SessionToken first = open();
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    return operation == Operation::load ? Fault::none : Fault::after;
  };
  EXPECT_FALSE(await(house_.sessions.rotate(first, "web", k_ip)).has_value());
  house_.store.script = nullptr;
  const auto second = rotate(first);
  ASSERT_TRUE(second);
  EXPECT_TRUE(is_live(*second));
  EXPECT_TRUE(reuses().empty());
}

// Two services over one store: what one ends is dead in the other at its next request.
TEST_P(RotationUseCase, WhatEndsInOneProcessIsDeadInTheOther) {
  otp::Sessions other(house_.services(), house_.rules);
  const auto dead_in_both = [&](const otp::SessionToken& token) {
    return !is_live_in(other, token) && !is_live(token);
  };
  const otp::SessionToken revoked = open();
  const otp::SessionToken rotated = open();
  const otp::SessionToken ended = open();
  const otp::SessionToken left = open();
  for (const auto* token : {&revoked, &rotated, &ended, &left}) {
    EXPECT_TRUE(is_live_in(other, *token));
  }
  revoke(revoked);
  EXPECT_TRUE(dead_in_both(revoked));
  const auto next = rotate(rotated);
  EXPECT_TRUE(dead_in_both(rotated));
  EXPECT_TRUE(is_live_in(other, *next));
  // And in the other direction, for the repeat as well.
  EXPECT_EQ(await(other.rotate(rotated, "web", k_ip)).value()->token.reveal(),
            next->text().reveal());
  EXPECT_TRUE(await(other.end(k_user, list()[1].id, k_ip)).value());
  EXPECT_TRUE(dead_in_both(ended));
  house_.world.clock.advance(house_.rules.session_idle + Seconds(60));
  EXPECT_TRUE(dead_in_both(left));
  const otp::SessionToken last = open();
  EXPECT_EQ(await(other.log_out(k_user, k_ip)).value(), 1U);
  EXPECT_TRUE(dead_in_both(last));
}

// The same with connections, and whatever a process keeps, of their own.
void open_shared_redis(storage::World& world) {
  static const storage::RedisBackendConfig config = storage::redis_config(world);
  world.backend = storage::make_redis_world(config, world);
}

TEST(RotationOverRedis, WhatEndsInOneProcessIsDeadInTheOther) {
  const storage::BackendKind kind{"redis", open_shared_redis};
  House one(kind);
  House two(kind);
  const auto live = [](House& house, const otp::SessionToken& token) {
    return await(house.sessions.introspect(token, k_ip)).value().has_value();
  };
  std::vector<otp::SessionToken> tokens;
  for (int i = 0; i < 3; ++i) {
    const auto opened = await(one.sessions.open({k_user, "login", k_ip})).value();
    tokens.push_back(std::move(otp::SessionToken::parse(opened.token.reveal()).value()));
    EXPECT_TRUE(live(two, tokens.back()));
  }
  ASSERT_TRUE(await(one.sessions.revoke(tokens[0], k_ip)));
  EXPECT_FALSE(live(two, tokens[0]));
  ASSERT_TRUE(await(two.sessions.rotate(tokens[1], "web", k_ip)).value());
  EXPECT_FALSE(live(one, tokens[1]));
  EXPECT_EQ(await(two.sessions.log_out(k_user, k_ip)).value(), 2U);
  EXPECT_FALSE(live(one, tokens[2]));
}

}  // namespace
}  // namespace otpd::usecase
