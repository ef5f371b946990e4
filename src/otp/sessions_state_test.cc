#include "otp/sessions_state.h"

#include <gtest/gtest.h>

namespace otpd::otp {
namespace {

constexpr Seconds k_idle{3'600};
constexpr TimePoint k_opened{Millis(1'800'000'000'000)};
constexpr TimePoint k_end = k_opened + Seconds(86'400);

Session make_session(std::string name, TimePoint last_used_at = k_opened) {
  return {.token_hash = std::string(32, name[0]),
          .id = name,
          .created_at = k_opened,
          .expires_at = k_end,
          .purpose = "login",
          .user_id = "550e8400-e29b-41d4-a716-446655440000",
          .device = {},
          .last_used_at = last_used_at,
          .rotation = {}};
}

TEST(SessionLife, TheUseIsWrittenOnceAMinuteOrATwentiethOfTheIdleLifetime) {
  EXPECT_EQ(touch_after(Seconds(60)), Millis(3'000));
  EXPECT_EQ(touch_after(Seconds(1'199)), Millis(59'950));
  EXPECT_EQ(touch_after(Seconds(1'200)), Millis(60'000));
  EXPECT_EQ(touch_after(Seconds(86'400)), Millis(60'000));
}

TEST(SessionLife, EdgesOfTheIdleLifetime) {
  const Millis touch = touch_after(k_idle);
  struct Case {
    TimePoint last_used, now;
    bool live;
  };
  for (const auto& [last_used, now, live] : {
           Case{k_opened, k_opened, true},
           Case{k_opened, k_opened + k_idle + touch - Millis(1), true},
           Case{k_opened, k_opened + k_idle + touch, false},
           Case{k_opened + Seconds(5'000), k_opened + Seconds(5'000) + k_idle, true},
           // The absolute end is an end, however lately it was used.
           Case{k_end - Millis(1), k_end - Millis(1), true},
           Case{k_end - Millis(1), k_end, false},
           // One of before uses were written has its absolute end only.
           Case{TimePoint{}, k_end - Millis(1), true},
           Case{TimePoint{}, k_end, false},
           // The clock has stepped back.
           Case{k_opened + Seconds(60), k_opened, true},
       }) {
    const Session session = make_session("a", last_used);
    EXPECT_EQ(is_live(session, k_idle, now), live) << (now - last_used).count();
    EXPECT_LE(idle_end(session, k_idle), k_end);
  }
}

// Used again and again, each time just within the idle lifetime after the use before.
TEST(SessionLife, AUsedSessionNeverDiesEarly) {
  for (const Seconds idle : {Seconds(60), Seconds(100), Seconds(3'600), Seconds(86'400)}) {
    for (Millis step : {Millis(1), touch_after(idle) - Millis(1), touch_after(idle),
                        touch_after(idle) + Millis(1), Millis(idle) / 2, Millis(idle)}) {
      Session session = make_session("a");
      session.expires_at = k_opened + Seconds(365 * 86'400);
      TimePoint now = k_opened;
      int written = 0;
      for (int use = 0; use < 200; ++use) {
        now += step;
        ASSERT_TRUE(is_live(session, idle, now)) << idle.count() << " " << step.count();
        written += touch(session, idle, now) ? 1 : 0;
        // What the last use has promised, whether or not it was written.
        ASSERT_TRUE(is_live(session, idle, now + idle));
        ASSERT_FALSE(is_live(session, idle, now + idle + touch_after(idle)));
      }
      EXPECT_LE(written * touch_after(idle), now - k_opened + touch_after(idle));
    }
  }
}

TEST(SessionLife, AUseIsWrittenAnewWhenTheClockHasSteppedBackFar) {
  Session session = make_session("a", k_opened + Seconds(7'200));
  EXPECT_TRUE(touch(session, k_idle, k_opened));
  EXPECT_EQ(session.last_used_at, k_opened);
  // Two processes whose clocks differ by less do not write in turns.
  EXPECT_FALSE(touch(session, k_idle, k_opened - Seconds(59)));
  EXPECT_FALSE(touch(session, k_idle, k_opened + Seconds(59)));
}

TEST(SessionLife, AClockThatStepsBackLengthensNoLife) {
  const Millis life = k_end - k_opened;
  for (const Millis back : {touch_after(k_idle), Millis(4 * 86'400'000)}) {
    Session session = make_session("a");
    TimePoint now = k_opened - back;
    ASSERT_TRUE(touch(session, k_idle, now));
    EXPECT_EQ(session.created_at, now);
    EXPECT_EQ(session.expires_at, now + life);
    // However much it is used from then on.
    const TimePoint end = now + life;
    for (; now < end; now += Millis(k_idle)) {
      ASSERT_TRUE(is_live(session, k_idle, now));
      touch(session, k_idle, now);
    }
    EXPECT_FALSE(is_live(session, k_idle, end));
  }
}

TEST(SessionBook, OpeningDropsTheDeadBeforeTheOldest) {
  SessionsState state{{make_session("a"), make_session("b", k_opened + Seconds(4'000)),
                       make_session("c", k_opened + Seconds(4'000))}};
  const TimePoint now = k_opened + Seconds(4'000);
  EXPECT_EQ(open_session(state, make_session("d", now), {k_idle, 3}, now), 0U);
  ASSERT_EQ(state.sessions.size(), 3U);  // "a" was idle too long
  EXPECT_EQ(state.sessions[0].id, "b");
  EXPECT_EQ(open_session(state, make_session("e", now), {k_idle, 3}, now), 1U);
  EXPECT_EQ(state.sessions[0].id, "c");
}

TEST(SessionBook, FoundByTokenAndById) {
  SessionsState state{{make_session("a"), make_session("b")}};
  EXPECT_EQ(find_session(state, std::string(32, 'b'), k_idle, k_opened), &state.sessions[1]);
  EXPECT_EQ(find_session(state, "", k_idle, k_opened), nullptr);
  EXPECT_EQ(find_session_by_id(state, "b", k_idle, k_opened), &state.sessions[1]);
  EXPECT_EQ(find_session_by_id(state, "b", k_idle, k_end), nullptr);
  EXPECT_EQ(end_session(state, &state.sessions[0]).id, "a");
  ASSERT_EQ(state.sessions.size(), 1U);
  EXPECT_EQ(state.sessions[0].id, "b");
}

TEST(SessionBook, IsGarbageWhenTheLastSessionHasItsAbsoluteEnd) {
  SessionsState state{{make_session("a"), make_session("b")}};
  state.sessions[0].expires_at = k_end + Seconds(5);
  EXPECT_EQ(garbage_at(state, k_opened), k_end + Seconds(5));
  EXPECT_EQ(garbage_at(SessionsState{}, k_opened), k_opened);
}

TEST(SessionBook, ComesBackFromItsRecordAsItWas) {
  Session session = make_session("a", k_opened + Seconds(1));
  session.device = "Ada's phone";
  session.rotation = {"family", k_opened, "from", "caller", "sealed", 3, k_opened + Seconds(2)};
  const auto read = decode<SessionsState>(encode(SessionsState{{session, make_session("b")}}));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->sessions.size(), 2U);
  const Session& back = read->sessions[0];
  EXPECT_EQ(back.token_hash, session.token_hash);
  EXPECT_EQ(back.device, "Ada's phone");
  EXPECT_EQ(back.last_used_at, session.last_used_at);
  EXPECT_EQ(back.expires_at, session.expires_at);
  EXPECT_EQ(back.rotation.family_hash, "family");
  EXPECT_EQ(back.rotation.at, k_opened);
  EXPECT_EQ(back.rotation.from_hash, "from");
  EXPECT_EQ(back.rotation.caller, "caller");
  EXPECT_EQ(back.rotation.sealed_next, "sealed");
  EXPECT_EQ(back.rotation.repeats, 3U);
  EXPECT_EQ(back.rotation.reuse_told_at, k_opened + Seconds(2));
  EXPECT_TRUE(read->sessions[1].rotation.family_hash.empty());
}

}  // namespace
}  // namespace otpd::otp
