#include "audit/range_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/primitives.h"

namespace otpd::audit {
namespace {

using testing::HasSubstr;

// A chain of ten lines, signed at 3, 6 and 9.
class Range : public testing::Test {
 protected:
  Range() {
    crypto::init();
    Head head;
    for (int n = 1; n <= 10; ++n) {
      Event event{.id = "id" + std::to_string(n), .event_type = "send"};
      head = extend(head, event);
      lines_.push_back({head.number, event, head.hash});
      if (n % 3 == 0) checkpoints_.push_back(signer_.sign(head, TimePoint(Millis(n))));
    }
  }
  const Line& line(std::uint64_t number) const { return lines_[number - 1]; }
  const Checkpoint& checkpoint(std::uint64_t number) const { return checkpoints_[number / 3 - 1]; }

  RangeProof proof(ChainSpan span) const { return {0, signer_.public_key(), span}; }
  void read(RangeProof& proof, std::uint64_t from, std::uint64_t to) const {
    for (std::uint64_t n = from; n <= to; ++n) {
      proof.read(line(n));
      if (n % 3 == 0) proof.read(checkpoint(n));
    }
  }
  static std::string broken(RangeProof& proof) {
    proof.finish();
    return proof.broken().value_or("");
  }

  CheckpointSigner signer_{"secret"};
  std::vector<Line> lines_;
  std::vector<Checkpoint> checkpoints_;
};

TEST_F(Range, FromTheFirstLineToTheLast) {
  RangeProof whole = proof({1, 10});
  read(whole, 1, 10);
  EXPECT_EQ(broken(whole), "");
  EXPECT_EQ(whole.first(), 1U);
  EXPECT_EQ(whole.last(), 10U);
  EXPECT_EQ(whole.vouched(), 9U);
  EXPECT_EQ(whole.vouched_at(), TimePoint(Millis(9)));
  EXPECT_FALSE(whole.oldest_kept());
}

TEST_F(Range, AfterACheckpoint) {
  RangeProof later = proof({5, 8});
  later.read(checkpoint(3));
  read(later, 4, 9);
  EXPECT_EQ(broken(later), "");
  EXPECT_EQ(later.first(), 4U);
  EXPECT_EQ(later.vouched(), 9U);
}

TEST_F(Range, ALineAfterTheCheckpointIsMissed) {
  RangeProof later = proof({5, 8});
  later.read(checkpoint(3));
  read(later, 5, 9);
  EXPECT_THAT(broken(later), HasSubstr("chain 0, line 4: it is missing"));
}

TEST_F(Range, TheOldestLineThatIsKeptIsTakenAsItIs) {
  RangeProof rest = proof({5, 10});
  read(rest, 5, 10);
  EXPECT_EQ(broken(rest), "");
  ASSERT_TRUE(rest.oldest_kept());
  EXPECT_EQ(rest.oldest_kept()->number, 5U);
  EXPECT_EQ(rest.first(), 6U);
}

TEST_F(Range, OneLineAloneProvesNothing) {
  RangeProof rest = proof({10, 10});
  rest.read(line(10));
  EXPECT_EQ(broken(rest), "");
  EXPECT_EQ(rest.first(), 0U);
  EXPECT_EQ(rest.last(), 0U);
  EXPECT_EQ(rest.vouched(), 0U);
}

TEST_F(Range, BothEndsMustBeThere) {
  RangeProof begins_late = proof({5, 10});
  read(begins_late, 7, 10);
  EXPECT_THAT(broken(begins_late), HasSubstr("line 5: it is missing, as are the lines up to 6"));
  RangeProof ends_early = proof({1, 10});
  read(ends_early, 1, 8);
  EXPECT_THAT(broken(ends_early), HasSubstr("line 9: it is missing, as are the lines up to 10"));
  RangeProof empty = proof({1, 10});
  EXPECT_THAT(broken(empty), HasSubstr("line 1: it is missing"));
}

TEST_F(Range, ACheckpointAboutALineThatNeverCameIsABreak) {
  RangeProof cut = proof({1, 8});
  read(cut, 1, 8);
  cut.read(checkpoint(9));
  EXPECT_THAT(broken(cut), HasSubstr("line 9: it is missing"));
  RangeProof no_lines = proof({5, 4});
  no_lines.read(checkpoint(3));
  no_lines.read(checkpoint(6));
  EXPECT_THAT(broken(no_lines), HasSubstr("line 4: it is missing"));
}

TEST_F(Range, ARangeWithoutALineIsEmptyIfItsNeighboursAre) {
  RangeProof nothing = proof({5, 4});
  nothing.read(checkpoint(3));
  read(nothing, 4, 6);
  EXPECT_EQ(broken(nothing), "");
  RangeProof long_ago = proof({1, 0});
  read(long_ago, 5, 6);
  EXPECT_EQ(broken(long_ago), "");
}

TEST_F(Range, TheFirstBreakStays) {
  RangeProof forged = proof({1, 10});
  lines_[3].event.detail = "forged";
  lines_[6].event.detail = "forged";
  read(forged, 1, 10);
  EXPECT_THAT(broken(forged), HasSubstr("line 4:"));
}

TEST_F(Range, AnotherKeyIsFoundOut) {
  const std::string key = CheckpointSigner("another").public_key();
  RangeProof whole(0, key, {1, 10});
  read(whole, 1, 10);
  EXPECT_THAT(broken(whole), HasSubstr("line 3: the checkpoint about it is not genuine"));
  RangeProof later(0, key, {5, 8});
  later.read(checkpoint(3));
  EXPECT_THAT(broken(later), HasSubstr("not genuine"));
}

}  // namespace
}  // namespace otpd::audit
