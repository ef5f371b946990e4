#include "audit/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::audit {
namespace {

Event chain_event(int n) {
  return {.id = "0190c1f4-6f0a-7c3e-9b1d-00000000000" + std::to_string(n),
          .user_id = "u",
          .channel_hash = "c",
          .event_type = "send",
          .ip_address = "203.0.113.7",
          .country = "US",
          .created_at = TimePoint(Millis(1'800'000'000'000 + n)),
          .verification_id = "v",
          .purpose = "login",
          .provider = "twilio",
          .detail = "d"};
}

class Chain : public ::testing::Test {
 protected:
  Chain() {
    crypto::init();
    Head head{.chain = 3};
    for (int n = 1; n <= 5; ++n) {
      head = extend(head, chain_event(n));
      lines_.push_back({head.number, chain_event(n), head.hash});
      if (n == 2 || n == 5) checkpoints_.push_back(signer_.sign(head, chain_event(n).created_at));
    }
  }

  std::optional<std::string> check() { return check(ChainCheck(3, signer_.public_key())); }
  std::optional<std::string> check(ChainCheck check) {
    for (const Checkpoint& one : checkpoints_) check.read(one);
    for (const Line& line : lines_) check.read(line);
    check.finish();
    vouched_ = check.vouched();
    return check.broken();
  }

  // Hashes the lines anew from `first` on, as a forger without the signing key would.
  void forge_from(std::size_t first) {
    Head head = first == 0 ? Head{.chain = 3} : Head{3, first, lines_[first - 1].hash};
    for (std::size_t i = first; i < lines_.size(); ++i) {
      head = extend(head, lines_[i].event);
      lines_[i].number = head.number;
      lines_[i].hash = head.hash;
    }
  }

  CheckpointSigner signer_{"a secret"};
  std::vector<Line> lines_;
  std::vector<Checkpoint> checkpoints_;
  std::uint64_t vouched_ = 0;
};

TEST_F(Chain, AnEventSurvivesItsCanonicalForm) {
  Event event = chain_event(1);
  event.detail = std::string("\0\xff,\n", 4);
  EXPECT_EQ(from_canonical(canonical(event)), event);
  EXPECT_EQ(from_canonical(canonical(Event{})), Event{});
  event.application = "shop";
  EXPECT_EQ(from_canonical(canonical(event)), event);
}

TEST_F(Chain, WhatIsNotCanonicalIsNoEvent) {
  const std::string bytes = canonical(chain_event(1));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(from_canonical(std::string_view(bytes).substr(0, cut))) << cut;
  }
  EXPECT_FALSE(from_canonical(bytes + "x"));
  // What names no application ends before it.
  EXPECT_FALSE(from_canonical(bytes + std::string(4, '\0')));
  Event shop = chain_event(1);
  shop.application = "shop";
  EXPECT_FALSE(from_canonical(canonical(shop) + std::string(4, '\0')));
  EXPECT_FALSE(from_canonical(canonical(shop).substr(0, canonical(shop).size() - 1)));
}

TEST_F(Chain, EveryFieldCountsForTheHash) {
  const std::string hash = extend({}, chain_event(1)).hash;
  for (auto field : {&Event::id, &Event::user_id, &Event::channel_hash, &Event::event_type,
                     &Event::ip_address, &Event::country, &Event::verification_id, &Event::purpose,
                     &Event::provider, &Event::detail, &Event::application}) {
    Event other = chain_event(1);
    other.*field += "x";
    EXPECT_NE(extend({}, other).hash, hash);
  }
  Event later = chain_event(1);
  later.created_at += Millis(1);
  EXPECT_NE(extend({}, later).hash, hash);
  EXPECT_NE(extend({.chain = 1}, chain_event(1)).hash, hash);
  EXPECT_NE(extend({.number = 1}, chain_event(1)).hash, hash);
}

TEST_F(Chain, AFieldCannotBorrowFromItsNeighbour) {
  Event one = chain_event(1);
  Event two = chain_event(1);
  one.purpose = "login1";
  one.provider = "x";
  two.purpose = "login";
  two.provider = "1x";
  EXPECT_NE(extend({}, one).hash, extend({}, two).hash);
}

// The format is for ever: old logs must stay verifiable.
TEST_F(Chain, TheHashIsTheOneItAlwaysWas) {
  EXPECT_EQ(hex_encode(extend({.chain = 3}, chain_event(1)).hash),
            "7b2a1942e985e40d5e22aa668770a68d6938b06ee8c859ff8b3d2db17d419654");
}

TEST_F(Chain, AWholeChainIsWhole) {
  EXPECT_EQ(check(), std::nullopt);
  EXPECT_EQ(vouched_, 5U);
}

TEST_F(Chain, AnAlteredLineIsNamed) {
  lines_[2].event.detail = "forged";
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("chain 3, line 3:"));
}

TEST_F(Chain, AMissingLineIsNamed) {
  lines_.erase(lines_.begin() + 3);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("chain 3, line 4: it is missing"));
}

TEST_F(Chain, ALineThatWasRemovedAndHashedOverIsCaughtByTheNextCheckpoint) {
  lines_.erase(lines_.begin() + 2);
  forge_from(2);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("it is missing"));
  lines_.push_back({5, chain_event(9), ""});
  forge_from(2);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("line 5: its hash is not the one"));
}

TEST_F(Chain, ATailThatWasCutOffIsMissed) {
  lines_.resize(3);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("line 4: it is missing"));
}

TEST_F(Chain, ALineTwiceIsABreak) {
  lines_.insert(lines_.begin() + 2, lines_[1]);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("line 3"));
}

TEST_F(Chain, ACheckpointOfAnotherKeyIsNotGenuine) {
  checkpoints_[1] =
      CheckpointSigner("another secret").sign(Head{3, 5, lines_[4].hash}, TimePoint());
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("not genuine"));
  checkpoints_[1] = signer_.sign(Head{3, 5, lines_[4].hash}, TimePoint());
  EXPECT_EQ(check(), std::nullopt);
  checkpoints_[1].at += Millis(1);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("not genuine"));
}

TEST_F(Chain, MayBeginAfterACheckpoint) {
  lines_.erase(lines_.begin(), lines_.begin() + 2);
  ChainCheck later(3, signer_.public_key());
  later.start_after(checkpoints_[0]);
  EXPECT_EQ(check(later), std::nullopt);
  EXPECT_THAT(check().value_or(""), ::testing::HasSubstr("line 1: it is missing"));
}

TEST_F(Chain, MayBeginWithTheFirstLineThatWasKept) {
  const Line first = lines_[3];
  lines_.erase(lines_.begin(), lines_.begin() + 4);
  ChainCheck rest(3, signer_.public_key());
  rest.start_with(first);
  EXPECT_EQ(check(rest), std::nullopt);
  EXPECT_EQ(vouched_, 5U);
  Line forged = first;
  forged.hash[0] ^= 1;
  ChainCheck from_forged(3, signer_.public_key());
  from_forged.start_with(forged);
  EXPECT_THAT(check(from_forged).value_or(""), ::testing::HasSubstr("line 5"));
}

}  // namespace
}  // namespace otpd::audit
