#include "storage/sqlite/purge.h"

#include <gtest/gtest.h>

namespace otpd::storage::sqlite {
namespace {

TEST(SliceSize, GrowsWhileSlicesAreShortAndShrinksWhenTheyAreLong) {
  SliceSize size;
  const auto first = size.rows();
  size.took(Millis(1));
  EXPECT_EQ(size.rows(), 2 * first);
  size.took(SliceSize::k_aim * 3 / 4);
  EXPECT_EQ(size.rows(), 2 * first);
  size.took(SliceSize::k_aim + Millis(1));
  EXPECT_EQ(size.rows(), first);
}

TEST(SliceSize, StaysWithinItsBounds) {
  SliceSize size;
  for (int i = 0; i < 50; ++i) size.took(Millis(0));
  EXPECT_EQ(size.rows(), SliceSize::k_largest);
  for (int i = 0; i < 50; ++i) size.took(Seconds(1));
  EXPECT_EQ(size.rows(), SliceSize::k_smallest);
}

}  // namespace
}  // namespace otpd::storage::sqlite
