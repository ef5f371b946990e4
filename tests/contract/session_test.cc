// Sessions: opened, looked at, ended; and the audit line of each.
#include "session_house.h"

namespace otpd::usecase {
namespace {

using storage::await;

class SessionUseCase : public SessionHouse {};
INSTANTIATE_TEST_SUITE_P(Backends, SessionUseCase, k_houses, storage::backend_name);

TEST_P(SessionUseCase, LivesUntilItsLastMillisecondIfItIsUsed) {
  const otp::SessionToken token = open();
  for (int hour = 0; hour < 23; ++hour) {
    house_.world.clock.advance(Seconds(3'600));
    EXPECT_TRUE(is_live(token));
  }
  house_.world.clock.advance(Seconds(3'600) - Millis(1));
  EXPECT_TRUE(is_live(token));
  EXPECT_EQ(list().size(), 1U);
  house_.world.clock.advance(Millis(1));
  EXPECT_FALSE(is_live(token));
  EXPECT_EQ(list().size(), 0U);
}

TEST_P(SessionUseCase, EndsWhenItIsNotUsed) {
  const otp::SessionToken token = open();
  const Millis idle = house_.rules.session_idle + Seconds(60);
  house_.world.clock.advance(idle - Millis(1));
  EXPECT_EQ(list().size(), 1U);  // which is no use of it
  EXPECT_EQ(list()[0].last_used_at, storage::k_start);
  EXPECT_TRUE(is_live(token));
  EXPECT_EQ(list()[0].last_used_at, house_.world.clock.now());
  house_.world.clock.advance(idle);
  EXPECT_EQ(list().size(), 0U);
  EXPECT_FALSE(is_live(token));
}

// That a session is used is written once a minute; in between it is only read.
TEST_P(SessionUseCase, LookingIsMostlyReading) {
  const otp::SessionToken token = open();
  int commits = 0;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    commits += operation == Operation::load ? 0 : 1;
    return Fault::none;
  };
  for (int second = 0; second < 300; ++second) {
    EXPECT_TRUE(is_live(token));
    house_.world.clock.advance(Seconds(1));
  }
  EXPECT_EQ(commits, 4);
}

// A store that reads but does not write (a replica is away) logs nobody out.
TEST_P(SessionUseCase, AUseThatCannotBeWrittenIsNoRefusal) {
  const otp::SessionToken token = open();
  house_.world.clock.advance(Seconds(60));
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    return operation == Operation::load ? Fault::none : Fault::before;
  };
  EXPECT_TRUE(is_live(token));
  house_.store.script = nullptr;
  EXPECT_TRUE(is_live(token));
  EXPECT_EQ(list()[0].last_used_at, house_.world.clock.now());
}

TEST_P(SessionUseCase, AForgedTokenIsNothing) {
  const otp::SessionToken token = open();
  const otp::SessionToken forged{token.user_hash,
                                 Secret(std::string(otp::k_session_secret_bytes, 'x'))};
  EXPECT_FALSE(is_live(forged));
  EXPECT_FALSE(rotate(forged));
  revoke(forged);
  EXPECT_TRUE(is_live(token));
  EXPECT_TRUE(house_.events(type::k_session_revoked).empty());
}

TEST_P(SessionUseCase, RevokingEndsOneAndIsWrittenOnce) {
  const otp::SessionToken token = open();
  const otp::SessionToken other = open();
  revoke(token);
  revoke(token);
  EXPECT_FALSE(is_live(token));
  EXPECT_TRUE(is_live(other));
  const auto lines = house_.events(type::k_session_revoked);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].user_id, k_user);
  EXPECT_EQ(lines[0].ip_address, k_ip);
  EXPECT_EQ(lines[0].purpose, "login");
  EXPECT_EQ(lines[0].detail, "token");
}

TEST_P(SessionUseCase, AnExpiredOneIsNotRevokedAgain) {
  const otp::SessionToken token = open();
  house_.world.clock.advance(Seconds(86'400));
  revoke(token);
  EXPECT_TRUE(house_.events(type::k_session_revoked).empty());
}

TEST_P(SessionUseCase, OneIsEndedByItsIdAndOnlyOfItsUser) {
  const otp::SessionToken token = open();
  const otp::SessionToken other = open();
  const std::string id = list()[0].id;
  EXPECT_FALSE(await(house_.sessions.end(k_other_user, id, k_ip)).value());
  EXPECT_TRUE(await(house_.sessions.end(k_user, id, k_ip)).value());
  EXPECT_FALSE(await(house_.sessions.end(k_user, id, k_ip)).value());
  EXPECT_FALSE(is_live(token));
  EXPECT_TRUE(is_live(other));
  const auto lines = house_.events(type::k_session_revoked);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "id");
}

TEST_P(SessionUseCase, LogOutEndsAllOfThatUserOnly) {
  const otp::SessionToken one = open();
  const otp::SessionToken two = open();
  const otp::SessionToken theirs = open(k_other_user);
  EXPECT_EQ(await(house_.sessions.log_out(k_user, k_ip)).value(), 2U);
  EXPECT_EQ(await(house_.sessions.log_out(k_user, k_ip)).value(), 0U);
  EXPECT_FALSE(is_live(one));
  EXPECT_FALSE(is_live(two));
  EXPECT_TRUE(is_live(theirs));
  EXPECT_EQ(house_.events(type::k_session_revoked).size(), 2U);
}

TEST_P(SessionUseCase, BeyondTheBoundTheOldestEndsAndIsWritten) {
  house_.rules.sessions_per_user = 2;
  const otp::SessionToken oldest = open();
  const otp::SessionToken middle = open();
  const otp::SessionToken newest = open();
  EXPECT_FALSE(is_live(oldest));
  EXPECT_TRUE(is_live(middle));
  EXPECT_TRUE(is_live(newest));
  const auto lines = house_.events(type::k_session_revoked);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].detail, "too many");
  EXPECT_EQ(house_.events(type::k_session_opened).size(), 3U);
}

TEST_P(SessionUseCase, AnExpiredOneMakesRoomWithoutALine) {
  house_.rules.sessions_per_user = 1;
  open();
  house_.world.clock.advance(Seconds(86'400));
  open();
  EXPECT_TRUE(house_.events(type::k_session_revoked).empty());
}

TEST_P(SessionUseCase, TheDeviceIsListed) {
  const std::string code(house_.send_and_take().code.reveal());
  otp::VerifyRequest request = house_.verify_request(code);
  request.device = "Ada's phone";
  const auto yes = house_.verify(std::move(request));
  const auto& user = std::get<otp::Verified>(yes).user_id;
  const auto sessions = await(house_.sessions.list(user)).value();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].device, "Ada's phone");
}

TEST_P(SessionUseCase, ALinkNamesADeviceToo) {
  house_.rules.policies["password_reset"].opens_session = true;
  const auto payload = house_.send_and_take(house_.send_request(k_phone, "password_reset"));
  const auto link = otp::LinkToken::parse(payload.link_token.reveal());
  const auto yes = await(house_.verifier.verify_link(*link, "", k_ip, "Ada's phone")).value();
  const auto sessions = await(house_.sessions.list(std::get<otp::Verified>(yes).user_id)).value();
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_EQ(sessions[0].device, "Ada's phone");
}

TEST_P(SessionUseCase, TheStoreHoldsNoToken) {
  const otp::SessionToken token = open();
  const auto rotated = rotate(token);
  ASSERT_TRUE(rotated);
  const auto record = house_.world.load(
      otp::sessions_key(house_.keys.index_key(), house_.rules.application, token.user_hash));
  ASSERT_NE(record.version, 0U);
  EXPECT_FALSE(record.bytes.contains(token.secret.reveal()));
  EXPECT_FALSE(record.bytes.contains(rotated->secret.reveal()));
  EXPECT_FALSE(record.bytes.contains(token.secret.reveal().substr(0, otp::k_session_family_bytes)));
}

}  // namespace
}  // namespace otpd::usecase
