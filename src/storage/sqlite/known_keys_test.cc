#include "storage/sqlite/known_keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/random.h"

namespace otpd::storage::sqlite {
namespace {

constexpr std::size_t k_plenty = 1 << 24;

TEST(KnownKeys, KnowsNothingUntilComplete) {
  KnownKeys keys(k_plenty);
  EXPECT_FALSE(keys.absent("a"));
  keys.add("a");
  EXPECT_FALSE(keys.absent("b"));
  keys.complete();
  EXPECT_FALSE(keys.absent("a"));
  EXPECT_TRUE(keys.absent("b"));
}

TEST(KnownKeys, ARemovalBeforeItIsCompleteIsIgnored) {
  KnownKeys keys(k_plenty);
  keys.add("a");
  keys.remove("a");
  keys.complete();
  EXPECT_FALSE(keys.absent("a"));
}

TEST(KnownKeys, TwoEntriesOfOneHashAreTwo) {
  KnownKeys keys(k_plenty);
  keys.complete();
  keys.add("a");
  keys.add("a");
  keys.remove("a");
  EXPECT_FALSE(keys.absent("a"));
  keys.remove("a");
  EXPECT_TRUE(keys.absent("a"));
  keys.remove("a");
  EXPECT_TRUE(keys.absent("a"));
}

TEST(KnownKeys, AgreesWithASetWhateverIsAddedAndRemoved) {
  KnownKeys keys(k_plenty);
  keys.complete();
  SeededRandom random(3);
  std::set<std::string> expected;
  for (int step = 0; step < 200'000; ++step) {
    const std::string key = std::to_string(random.u64() % 30'000);
    if (random.u64() % 3 != 0 && expected.insert(key).second) keys.add(key);
    if (random.u64() % 2 != 0 && expected.erase(key) == 1) keys.remove(key);
    const std::string other = std::to_string(random.u64() % 30'000);
    ASSERT_EQ(keys.absent(other), !expected.contains(other)) << other << " at step " << step;
  }
}

TEST(KnownKeys, GivesUpWhatNeedsTooMuchMemory) {
  KnownKeys keys(1 << 20);
  keys.complete();
  constexpr int k_too_many = 200'000;  // of 8 bytes and more
  for (int i = 0; i < k_too_many; ++i) keys.add(std::to_string(i));
  for (int i = 0; i < k_too_many; ++i) ASSERT_FALSE(keys.absent(std::to_string(i)));
  EXPECT_FALSE(keys.absent("never added"));
}

}  // namespace
}  // namespace otpd::storage::sqlite
