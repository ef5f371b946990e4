#include "storage/job_book.h"

#include <gtest/gtest.h>

namespace otpd::storage {
namespace {

using How = otp::JobEnd::How;

constexpr TimePoint k_now{Millis(1'000'000)};
constexpr Millis k_lease{1000};

otp::NewJob job(const std::string& id, Millis due_in = Millis(0)) {
  return {.id = id, .key = "k", .due_at = k_now + due_in, .expires_at = k_now, .sealed = "s" + id};
}

otp::JobEnd end(const std::string& id, std::uint64_t lease, How how, TimePoint due_at = {}) {
  return {.id = id, .lease = lease, .how = how, .due_at = due_at, .reason = {}};
}

std::string ids(const Taken& taken) {
  std::string all;
  for (const delivery::Job& job : taken.jobs) all += job.id;
  return all;
}

TEST(JobBook, HandsOutByDueTimeThenArrival) {
  JobBook book;
  book.add(job("c", Millis(-1)));
  book.add(job("a", Millis(-2)));
  book.add(job("d", Millis(-1)));
  book.add(job("b", Millis(-2)));
  EXPECT_EQ(ids(book.take(k_now, k_lease, 3)), "abc");
  EXPECT_EQ(ids(book.take(k_now, k_lease, 3)), "d");
}

TEST(JobBook, AJobWhoseLeaseRanOutIsAsOldAsItWas) {
  JobBook book;
  book.add(job("old", Millis(-10)));
  book.take(k_now, k_lease, 1);
  book.add(job("new", Millis(-5)));
  EXPECT_EQ(ids(book.take(k_now + k_lease, k_lease, 2)), "oldnew");
}

TEST(JobBook, SaysWhenToLookAgain) {
  JobBook book;
  EXPECT_EQ(book.take(k_now, k_lease, 1).next_ready, std::nullopt);
  book.add(job("a"));
  book.take(k_now, k_lease, 1);
  EXPECT_EQ(book.take(k_now, k_lease, 1).next_ready, k_now + k_lease);
  book.add(job("b", Millis(300)));
  EXPECT_EQ(book.take(k_now, k_lease, 1).next_ready, k_now + Millis(300));
}

TEST(JobBook, WhatIsSetAsideCanNeitherBeTakenNorEndedAgain) {
  JobBook book;
  book.add(job("a"));
  const std::uint64_t lease = book.take(k_now, k_lease, 1).jobs.at(0).lease;
  const auto aside = book.set_aside("a", lease);
  ASSERT_TRUE(aside.has_value());
  EXPECT_EQ(aside->attempts, 1U);
  EXPECT_EQ(aside->job->sealed, "sa");
  EXPECT_FALSE(book.set_aside("a", lease).has_value());
  EXPECT_TRUE(book.take(k_now + 2 * k_lease, k_lease, 1).jobs.empty());
  EXPECT_EQ(book.stats(k_now).leased, 1U);
}

TEST(JobBook, AnEndThatWasNotCommittedIsUndone) {
  for (const How how : {How::done, How::retry, How::dead}) {
    JobBook book;
    book.add(job("a"));
    const std::uint64_t lease = book.take(k_now, k_lease, 1).jobs.at(0).lease;
    ASSERT_TRUE(book.set_aside("a", lease).has_value());
    book.settle(end("a", lease, how, k_now), false);
    EXPECT_TRUE(book.take(k_now, k_lease, 1).jobs.empty());
    EXPECT_TRUE(book.set_aside("a", lease).has_value()) << "it can be ended again";
    book.settle(end("a", lease, how, k_now), false);
    EXPECT_EQ(ids(book.take(k_now + k_lease, k_lease, 1)), "a");
  }
}

TEST(JobBook, ALeaseEndsTheJobUntilSomebodyElseTakesIt) {
  JobBook book;
  book.add(job("a"));
  const std::uint64_t first = book.take(k_now, k_lease, 1).jobs.at(0).lease;
  const TimePoint later = k_now + k_lease;
  EXPECT_EQ(book.stats(later).waiting, 1U);
  ASSERT_TRUE(book.set_aside("a", first).has_value());
  book.settle(end("a", first, How::done), false);
  const std::uint64_t second = book.take(later, k_lease, 1).jobs.at(0).lease;
  EXPECT_NE(first, second);
  EXPECT_FALSE(book.set_aside("a", first).has_value());
  ASSERT_TRUE(book.set_aside("a", second).has_value());
  book.settle(end("a", second, How::done), true);
  EXPECT_EQ(book.size(), 0U);
}

TEST(JobBook, AJobGivenBackHasNoLease) {
  JobBook book;
  book.add(job("a"), 3);
  const delivery::Job taken = book.take(k_now, k_lease, 1).jobs.at(0);
  EXPECT_EQ(taken.attempt, 4U);
  ASSERT_TRUE(book.set_aside("a", taken.lease).has_value());
  book.settle(end("a", taken.lease, How::retry, k_now + Millis(5)), true);
  EXPECT_FALSE(book.set_aside("a", taken.lease).has_value());
  EXPECT_FALSE(book.set_aside("a", 0).has_value());
  EXPECT_TRUE(book.take(k_now, k_lease, 1).jobs.empty());
  EXPECT_EQ(book.take(k_now + Millis(5), k_lease, 1).jobs.at(0).attempt, 5U);
}

TEST(JobBook, ChangesAreCarriedOutOrUndone) {
  JobBook book;
  book.add(job("a"));
  const std::uint64_t lease = book.take(k_now, k_lease, 1).jobs.at(0).lease;
  for (const bool committed : {false, true}) {
    otp::Effects effects{.enqueue = {job("b"), job("a")}, .finish = {end("a", lease, How::done)}};
    BookChanges changes;
    changes.entered(0);
    ASSERT_TRUE(book.set_aside("a", lease).has_value());
    changes.ended(0);
    EXPECT_EQ(changes.settle(book, effects, committed), committed);
    EXPECT_EQ(book.size(), 1U);
  }
  EXPECT_EQ(ids(book.take(k_now, k_lease, 9)), "b");
}

}  // namespace
}  // namespace otpd::storage
