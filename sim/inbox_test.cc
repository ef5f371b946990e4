#include "inbox.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace otpd::sim {
namespace {

constexpr TimePoint k_start{Millis(1'700'000'000'000)};

Message sms(std::string to, std::string text) {
  Message message;
  message.to = std::move(to);
  message.text = std::move(text);
  message.channel = "sms";
  return message;
}

std::vector<std::string> texts(const std::vector<Message>& messages) {
  std::vector<std::string> out;
  for (const Message& message : messages) out.push_back(message.text);
  return out;
}

using Texts = std::vector<std::string>;

TEST(Inbox, FindsNewestFirst) {
  Inbox inbox(k_start);
  inbox.add(sms("+1", "a"));
  inbox.add(sms("+2", "b"));
  inbox.add(sms("+1", "c"));
  EXPECT_EQ(texts(inbox.find({})), (Texts{"c", "b", "a"}));
  EXPECT_EQ(texts(inbox.find({.to = "+1", .after = {}})), (Texts{"c", "a"}));
  EXPECT_EQ(texts(inbox.find({.to = "+3", .after = {}})), Texts{});
  EXPECT_EQ(texts(inbox.find({.to = {}, .after = {}, .limit = 1})), Texts{"c"});
  EXPECT_EQ(texts(inbox.find({.to = "+1", .after = {}, .limit = 1})), Texts{"c"});
}

TEST(Inbox, FindsOnlyWhatIsNewer) {
  Inbox inbox(k_start);
  const std::uint64_t first = inbox.add(sms("+1", "a"));
  const std::uint64_t second = inbox.add(sms("+1", "b"));
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(texts(inbox.find({.to = {}, .after = first})), Texts{"b"});
  EXPECT_EQ(texts(inbox.find({.to = "+1", .after = second})), Texts{});
}

TEST(Inbox, ForgetsTheOldestBeyondItsCapacity) {
  Inbox inbox(k_start, 3);
  for (int i = 0; i < 10; ++i) inbox.add(sms(i % 2 == 0 ? "+0" : "+1", std::to_string(i)));
  EXPECT_EQ(texts(inbox.find({})), (Texts{"9", "8", "7"}));
  EXPECT_EQ(texts(inbox.find({.to = "+0", .after = {}})), (Texts{"8"}));
  EXPECT_EQ(texts(inbox.find({.to = "+1", .after = {}})), (Texts{"9", "7"}));
  EXPECT_EQ(inbox.stats().accepted, 10U);
}

TEST(Inbox, CountsRepeatedMessagesOfOneAddress) {
  Inbox inbox(k_start, 2);
  inbox.add(sms("+1", "a"));
  inbox.add(sms("+2", "a"));
  EXPECT_EQ(inbox.stats().duplicates, 0U);
  inbox.add(sms("+2", "a"));
  EXPECT_EQ(inbox.stats().duplicates, 1U);
  inbox.add(sms("+1", "a"));  // the first one is no longer held
  EXPECT_EQ(inbox.stats().duplicates, 1U);
}

TEST(Inbox, ClearingForgetsAllAndStartsAnotherEpoch) {
  Inbox inbox(k_start);
  const std::uint64_t before = inbox.add(sms("+1", "a"));
  const std::uint64_t epoch = inbox.epoch();
  inbox.count(Face::vonage, &InboxStats::rejected);
  EXPECT_EQ(inbox.stats().rejected, 1U);
  EXPECT_EQ(inbox.stats(Face::vonage).rejected, 1U);
  EXPECT_EQ(inbox.stats(Face::twilio).accepted, 1U);
  inbox.clear();
  EXPECT_TRUE(inbox.find({}).empty());
  EXPECT_TRUE(inbox.find({.to = "+1", .after = {}}).empty());
  EXPECT_EQ(inbox.stats().accepted, 0U);
  EXPECT_EQ(inbox.stats().rejected, 0U);
  EXPECT_NE(inbox.epoch(), epoch);
  EXPECT_GT(inbox.add(sms("+1", "a")), before);
  EXPECT_EQ(inbox.stats().duplicates, 0U);
}

TEST(Inbox, TakesMessagesFromManyThreads) {
  Inbox inbox(k_start, 500);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&inbox, t] {
        for (int i = 0; i < 1000; ++i) {
          inbox.add(sms("+" + std::to_string(i % 7), std::to_string(t * 1000 + i)));
          inbox.find({.to = "+3", .after = {}});
        }
      });
    }
  }
  EXPECT_EQ(inbox.stats().accepted, 4000U);
  EXPECT_EQ(inbox.stats().duplicates, 0U);
  EXPECT_EQ(inbox.find({.to = {}, .after = {}, .limit = 1000}).size(), 500U);
}

}  // namespace
}  // namespace otpd::sim
