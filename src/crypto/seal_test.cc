#include "crypto/seal.h"

#include <gtest/gtest.h>

#include <set>

namespace otpd::crypto {
namespace {

constexpr TimePoint k_seal_time{Millis(1'700'000'000'000)};

struct SealTest : ::testing::Test {
  SeededRandom random{7};
  KeyRing keys = KeyRing::create(k_seal_time, random);

  Failure open_failure(std::string_view sealed, std::string_view context) const {
    const auto opened = open(keys, sealed, context);
    return opened ? Failure::internal : opened.error().kind;
  }
};

TEST_F(SealTest, OpensWhatItSealed) {
  for (const std::string& plain :
       {std::string(), std::string("481623"), random.bytes(1), random.bytes(5000)}) {
    const auto opened = open(keys, seal(keys, random, plain, "job 1"), "job 1");
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->reveal(), plain);
  }
}

TEST_F(SealTest, TellsWhetherTheNewestGenerationSealedIt) {
  const std::string sealed = seal(keys, random, "481623", "job 1");
  EXPECT_TRUE(is_sealed_by_active(keys, sealed));
  keys.rotate(k_seal_time, random);
  EXPECT_FALSE(is_sealed_by_active(keys, sealed));
  EXPECT_TRUE(is_sealed_by_active(keys, seal(keys, random, "481623", "job 1")));
  EXPECT_FALSE(is_sealed_by_active(keys, ""));
}

TEST_F(SealTest, HidesThePlainTextAndNeverRepeats) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string sealed = seal(keys, random, "481623 +14155552671", "");
    EXPECT_EQ(sealed.find("481623"), std::string::npos);
    EXPECT_TRUE(seen.insert(sealed).second);
  }
}

TEST_F(SealTest, EveryChangedBitIsNoticed) {
  const std::string sealed = seal(keys, random, "481623", "job 1");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(open_failure(changed, "job 1"), Failure::corrupt) << bit;
  }
}

TEST_F(SealTest, EveryCutOrGrownTextIsNoticed) {
  const std::string sealed = seal(keys, random, "481623", "job 1");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(open_failure(sealed.substr(0, size), "job 1"), Failure::corrupt) << size;
  }
  EXPECT_EQ(open_failure(sealed + '\0', "job 1"), Failure::corrupt);
}

TEST_F(SealTest, OpensInItsOwnContextOnly) {
  const std::string sealed = seal(keys, random, "481623", "job 1");
  for (const char* context : {"", "job", "job 2", "job 11", "Job 1"}) {
    EXPECT_EQ(open_failure(sealed, context), Failure::corrupt) << context;
  }
}

TEST_F(SealTest, OpensUnderAnOldGenerationUntilItIsRemoved) {
  const std::string old = seal(keys, random, "481623", "job 1");
  keys.rotate(k_seal_time, random);
  EXPECT_TRUE(open(keys, old, "job 1").has_value());
  const std::string fresh = seal(keys, random, "481623", "job 1");
  EXPECT_NE(old.substr(0, 5), fresh.substr(0, 5));

  std::string relabelled = old;  // another generation's number must not make it open
  relabelled.replace(0, 5, fresh.substr(0, 5));
  EXPECT_EQ(open_failure(relabelled, "job 1"), Failure::corrupt);

  keys = KeyRing::create(k_seal_time, random);
  EXPECT_EQ(open_failure(fresh, "job 1"), Failure::corrupt);  // generation 2 is gone
  EXPECT_EQ(open_failure(old, "job 1"), Failure::corrupt);    // generation 1 is another key
}

}  // namespace
}  // namespace otpd::crypto
