#include "storage/sqlite/record_cache.h"

#include <gtest/gtest.h>

namespace otpd::storage::sqlite {
namespace {

TEST(RecordCache, GivesWhatWasPutLast) {
  RecordCache cache(1 << 20);
  EXPECT_EQ(cache.get("k"), std::nullopt);
  cache.put("k", {.bytes = "one", .version = 1});
  cache.put("k", {.bytes = "two", .version = 2});
  ASSERT_TRUE(cache.get("k").has_value());
  EXPECT_EQ(cache.get("k")->bytes, "two");
  EXPECT_EQ(cache.get("k")->version, 2U);
  cache.put("k", {});
  EXPECT_EQ(cache.get("k")->version, 0U);
  cache.erase("k");
  EXPECT_EQ(cache.get("k"), std::nullopt);
}

TEST(RecordCache, ForgetsTheLeastRecentlyUsedFirst) {
  RecordCache cache(10'000);
  for (char letter = 'a'; letter <= 'd'; ++letter) {
    cache.put(std::string(1, letter), {.bytes = std::string(2'000, letter), .version = 1});
  }
  EXPECT_TRUE(cache.get("a").has_value());
  cache.put("e", {.bytes = std::string(2'000, 'e'), .version = 1});
  EXPECT_FALSE(cache.get("b").has_value());
  for (const char* key : {"a", "c", "d", "e"}) EXPECT_TRUE(cache.get(key).has_value()) << key;
}

TEST(RecordCache, StaysWithinItsBytes) {
  RecordCache cache(50'000);
  for (int i = 0; i < 1'000; ++i) {
    cache.put("k" + std::to_string(i), {.bytes = std::string(500, 'x'), .version = 1});
    ASSERT_LE(cache.bytes(), 50'000U);
  }
  EXPECT_GT(cache.bytes(), 40'000U);
  cache.put("huge", {.bytes = std::string(100'000, 'x'), .version = 1});
  EXPECT_EQ(cache.get("huge"), std::nullopt);
}

TEST(RecordCache, WithoutMemoryItKeepsNothing) {
  RecordCache cache(0);
  cache.put("k", {.bytes = "x", .version = 1});
  EXPECT_EQ(cache.get("k"), std::nullopt);
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace otpd::storage::sqlite
