#include "storage/redis/outlook.h"

#include <gmock/gmock.h>

namespace otpd::storage::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Pick = Outlook::Pick;

constexpr TimePoint k_outlook_now{Millis(1'000'000)};

TimePoint in(int ms) {
  return k_outlook_now + Millis(ms);
}

TEST(Outlook, KnowsNothingAtFirst) {
  Outlook outlook(4, 0);
  EXPECT_THAT(outlook.pick(k_outlook_now, 4), IsEmpty());
  EXPECT_EQ(outlook.next(), std::nullopt);
}

TEST(Outlook, ARingPromisesAJobOnce) {
  Outlook outlook(4, 0);
  outlook.heard(2);
  EXPECT_THAT(outlook.pick(k_outlook_now, 4), ElementsAre(Pick{2}));
  EXPECT_THAT(outlook.pick(k_outlook_now, 4), IsEmpty());
}

TEST(Outlook, WaitsForWhatIsDueLater) {
  Outlook outlook(4, 0);
  outlook.saw(1, in(10), std::nullopt);
  outlook.expect(3, in(5));
  EXPECT_EQ(outlook.next(), in(5));
  EXPECT_THAT(outlook.pick(in(4), 4), IsEmpty());
  EXPECT_THAT(outlook.pick(in(5), 4), ElementsAre(Pick{3}));
  EXPECT_EQ(outlook.next(), in(10));
  EXPECT_THAT(outlook.pick(in(10), 4), ElementsAre(Pick{1}));
}

TEST(Outlook, TheMostOverdueFirst) {
  Outlook outlook(4, 0);
  outlook.saw(0, in(-1), std::nullopt);
  outlook.saw(1, in(-3), std::nullopt);
  outlook.saw(2, in(-2), std::nullopt);
  EXPECT_THAT(outlook.pick(k_outlook_now, 2), ElementsAre(Pick{1}, Pick{2}));
  EXPECT_THAT(outlook.pick(k_outlook_now, 2), ElementsAre(Pick{0}));
}

TEST(Outlook, EqualsTakeTurnsFromADifferentStart) {
  Outlook outlook(4, 2);
  const auto ring = [&] {
    for (Partition p = 0; p < 4; ++p) outlook.heard(p);
  };
  ring();
  EXPECT_THAT(outlook.pick(k_outlook_now, 3), ElementsAre(Pick{2}, Pick{3}, Pick{0}));
  ring();
  EXPECT_THAT(outlook.pick(k_outlook_now, 1), ElementsAre(Pick{1}));
}

TEST(Outlook, SaysWhereALeaseRanOut) {
  Outlook outlook(2, 0);
  outlook.saw(0, in(-1), in(3));
  outlook.saw(1, std::nullopt, in(2));
  EXPECT_THAT(outlook.pick(k_outlook_now, 2), ElementsAre(Pick{0, false}));
  EXPECT_EQ(outlook.next(), in(2));
  EXPECT_THAT(outlook.pick(in(2), 2), ElementsAre(Pick{1, true}));
}

TEST(Outlook, ARingDuringALookIsNotForgotten) {
  Outlook outlook(1, 0);
  outlook.heard(0);
  outlook.saw(0, std::nullopt, std::nullopt);
  EXPECT_THAT(outlook.pick(k_outlook_now, 1), ElementsAre(Pick{0}));
}

}  // namespace
}  // namespace otpd::storage::redis
