#include "otp/idempotency.h"

#include <gtest/gtest.h>

#include "otp/ids.h"

namespace otpd::otp {
namespace {

constexpr TimePoint k_now{Millis(1'700'000'000'000)};
constexpr Seconds k_ttl{86'400};

TEST(Idempotency, AKeyIsClaimedAnsweredAndForgotten) {
  IdempotencyState state;
  const auto claimed = claim(state, "print", "id 1", k_ttl, k_now);
  EXPECT_EQ(std::get<Claimed>(claimed).admission_id, "id 1");
  EXPECT_TRUE(std::holds_alternative<InProgress>(claim(state, "print", "id 2", k_ttl, k_now)));
  EXPECT_TRUE(std::holds_alternative<KeyReused>(claim(state, "other", "id 2", k_ttl, k_now)));

  state.answer =
      Accepted{{std::string(16, 'r'), std::string(12, 'u')}, "sms", Seconds(300), 3, Seconds(30)};
  const auto stored = decode<IdempotencyState>(encode(state));
  ASSERT_TRUE(stored);
  state = *stored;
  const TimePoint last = k_now + k_ttl - Millis(1);
  const auto replay = claim(state, "print", "id 3", k_ttl, last);
  EXPECT_EQ(std::get<Replay>(replay).answer.verification_id.unique, std::string(12, 'u'));
  EXPECT_EQ(std::get<Replay>(replay).answer.expires_in, Seconds(300));
  EXPECT_TRUE(std::holds_alternative<KeyReused>(claim(state, "other", "id 3", k_ttl, last)));
  EXPECT_EQ(std::get<Claimed>(claim(state, "other", "id 4", k_ttl, k_now + k_ttl)).admission_id,
            "id 4");
}

TEST(Idempotency, ADeadRequestIsCarriedOnUnderItsOwnAdmission) {
  IdempotencyState state;
  claim(state, "print", "id 1", k_ttl, k_now);
  const TimePoint stale = k_now + k_claim_lives;
  EXPECT_TRUE(
      std::holds_alternative<InProgress>(claim(state, "print", "id 2", k_ttl, stale - Millis(1))));
  EXPECT_EQ(std::get<Claimed>(claim(state, "print", "id 2", k_ttl, stale)).admission_id, "id 1");
  EXPECT_TRUE(std::holds_alternative<InProgress>(claim(state, "print", "id 3", k_ttl, stale)));
}

TEST(Ids, CarryTheirLocationAndNothingElseParses) {
  const VerificationId id{std::string(16, '\x01'), std::string(12, '\x02')};
  EXPECT_LT(id.text().size(), 64U);
  EXPECT_EQ(VerificationId::parse(id.text()), id);
  const SessionToken session{std::string(16, '\x03'), Secret(std::string(32, '\x04'))};
  const Secret text = session.text();
  EXPECT_TRUE(text.reveal().starts_with("otps_"));
  const auto parsed = SessionToken::parse(text.reveal());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->user_hash, session.user_hash);
  EXPECT_EQ(parsed->secret.reveal(), session.secret.reveal());
  const LinkToken link{id, Secret(std::string(16, '\x05'))};
  EXPECT_EQ(LinkToken::parse(link.text().reveal())->id, id);

  for (const std::string_view bad : {"", "otps_", "otps_AAAA", "x", "====", "otps"}) {
    EXPECT_FALSE(VerificationId::parse(bad)) << bad;
    EXPECT_FALSE(SessionToken::parse(bad)) << bad;
    EXPECT_FALSE(LinkToken::parse(bad)) << bad;
  }
  EXPECT_FALSE(VerificationId::parse(id.text() + "A"));
  EXPECT_FALSE(SessionToken::parse(text.reveal().substr(5)));
  EXPECT_FALSE(VerificationId::parse(std::string(1'000'000, 'A')));
}

}  // namespace
}  // namespace otpd::otp
