// Sessions: opened, looked at, ended; and the audit line of each.
#include "house.h"
#include "otp/sessions_state.h"

namespace otpd::usecase {
namespace {

using storage::await;

class SessionUseCase : public UseCase {
 protected:
  otp::SessionToken open(std::string_view user = k_user) {
    const auto opened = await(house_.sessions.open(user, "login", k_ip)).value();
    return std::move(otp::SessionToken::parse(opened.token.reveal()).value());
  }
  bool is_live(const otp::SessionToken& token) {
    return await(house_.sessions.introspect(token)).value().has_value();
  }
  void revoke(const otp::SessionToken& token) {
    EXPECT_TRUE(await(house_.sessions.revoke(token, k_ip)).has_value());
  }
  std::size_t listed() { return await(house_.sessions.list(k_user)).value().size(); }
};
INSTANTIATE_TEST_SUITE_P(Backends, SessionUseCase, k_houses, storage::backend_name);

TEST_P(SessionUseCase, LivesUntilItsLastMillisecond) {
  const otp::SessionToken token = open();
  house_.world.clock.advance(Seconds(86'400) - Millis(1));
  EXPECT_TRUE(is_live(token));
  EXPECT_EQ(listed(), 1U);
  house_.world.clock.advance(Millis(1));
  EXPECT_FALSE(is_live(token));
  EXPECT_EQ(listed(), 0U);
}

TEST_P(SessionUseCase, AForgedTokenIsNothing) {
  const otp::SessionToken token = open();
  const otp::SessionToken forged{token.user_hash,
                                 Secret(std::string(otp::k_session_secret_bytes, 'x'))};
  EXPECT_FALSE(is_live(forged));
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

TEST_P(SessionUseCase, LogOutEndsAllOfThatUserOnly) {
  const otp::SessionToken one = open();
  const otp::SessionToken two = open();
  const std::string other = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  const otp::SessionToken theirs = open(other);
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

TEST_P(SessionUseCase, TheStoreHoldsNoToken) {
  const otp::SessionToken token = open();
  const auto record = house_.world.load(otp::sessions_key(token.user_hash));
  ASSERT_NE(record.version, 0U);
  EXPECT_FALSE(record.bytes.contains(token.secret.reveal()));
}

}  // namespace
}  // namespace otpd::usecase
