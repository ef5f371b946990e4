// Which refusals have an audit line of their own.
#include "otp/refusals.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace otpd::otp {
namespace {

constexpr TimePoint k_refused_at{Seconds(1'795'310'000)};

audit::Event refusal_line(const std::string& who, TimePoint now = k_refused_at,
                          const std::string& ip = "203.0.113.7", const std::string& reason = "ip") {
  return {.channel_hash = who,
          .event_type = "limited",
          .ip_address = ip,
          .created_at = now,
          .detail = reason};
}

// How many were left out before it; -1 if it is left out itself.
int admitted(RefusalSums& sums, const audit::Event& line) {
  const auto left_out = sums.admit(line);
  return left_out ? static_cast<int>(*left_out) : -1;
}

TEST(Refusals, OneRecipientHasOneLineAMinuteAndTheNextTellsHowManyWereLeftOut) {
  RefusalSums sums;
  EXPECT_EQ(admitted(sums, refusal_line("a")), 0);
  for (int i = 0; i < 120; ++i) EXPECT_EQ(admitted(sums, refusal_line("a")), -1);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(60) - Millis(1))), -1);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(60))), 121);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(61))), -1);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(120))), 1);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(180))), 0);
}

TEST(Refusals, EachReasonTypeAddressAndApplicationIsToldForItself) {
  RefusalSums sums;
  EXPECT_EQ(admitted(sums, refusal_line("a")), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, "203.0.113.8")), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, "203.0.113.7", "user")), 0);
  audit::Event line = refusal_line("a");
  line.event_type = "not_allowed";
  EXPECT_EQ(admitted(sums, line), 0);
  line.application = "shop";
  EXPECT_EQ(admitted(sums, line), 0);
  line.user_id = "u";
  EXPECT_EQ(admitted(sums, line), 0);
  EXPECT_EQ(admitted(sums, line), -1);
}

TEST(Refusals, AnIpv6AddressCountsByItsNetwork) {
  RefusalSums sums;
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, "2001:db8::1")), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, "2001:db8::2")), -1);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, "2001:db8:0:1::2")), 0);
}

// However many recipients it asks for.
TEST(Refusals, AnAddressHasSoManyLinesOfOneReason) {
  RefusalSums sums;
  int lines = 0;
  for (int i = 0; i < 10'000; ++i) {
    lines += admitted(sums, refusal_line(std::to_string(i))) < 0 ? 0 : 1;
  }
  EXPECT_EQ(lines, 20);
  EXPECT_EQ(admitted(sums, refusal_line("x", k_refused_at + Seconds(60))), 9'980);
  EXPECT_EQ(admitted(sums, refusal_line("y", k_refused_at + Seconds(60))), 0);
}

TEST(Refusals, WhatIsRememberedHasABound) {
  RefusalSums sums({.recipients = 2, .addresses = 3});
  const auto from = [](int i) { return "10.0.0." + std::to_string(i); };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, from(i))), 0);
  }
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, from(3))), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, from(4))), -1);
  EXPECT_EQ(admitted(sums, refusal_line("b", k_refused_at, from(5))), 1);
  EXPECT_EQ(admitted(sums, refusal_line("c", k_refused_at, from(6))), -1);
  EXPECT_EQ(admitted(sums, refusal_line("c", k_refused_at, from(0))), 0);  // is known
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at, from(3), "user")), 0);
  EXPECT_EQ(sums.size(), 5U);
  // A minute later there is room again.
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at + Seconds(60), from(7))), 0);
  EXPECT_EQ(sums.size(), 1U);
}

TEST(Refusals, AClockThatStepsBackBeginsAnew) {
  RefusalSums sums;
  EXPECT_EQ(admitted(sums, refusal_line("a")), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at - Seconds(86'400))), 0);
  EXPECT_EQ(admitted(sums, refusal_line("a", k_refused_at - Seconds(86'400))), -1);
}

TEST(Refusals, OnlyRefusalsAreSummed) {
  for (const char* type : {"limited", "not_allowed", "captcha_required"}) {
    EXPECT_TRUE(is_refusal_line({.event_type = type})) << type;
  }
  for (const char* type : {"limited_shadow", "not_allowed_shadow", "verify_fail", "send",
                           "session_reuse", "factor_locked", ""}) {
    EXPECT_FALSE(is_refusal_line({.event_type = type})) << type;
  }
}

// Takes what is written, and nothing else.
class LineStore final : public Store {
 public:
  Task<Result<Record>> load(Key) override { co_return Record{}; }
  std::optional<Record> recall(const Key&) override { return std::nullopt; }
  Task<Result<CommitResult>> commit(Key, std::uint64_t, std::string, TimePoint,
                                    Effects effects) override {
    take(effects);
    co_return CommitResult::done;
  }
  Task<Result<void>> append(Effects effects) override {
    ++appends;
    take(effects);
    co_return Result<void>();
  }
  Task<Result<void>> ping() override { co_return Result<void>(); }

  void take(const Effects& effects) {
    for (const audit::Event& line : effects.events) details.push_back(line.detail);
  }
  std::vector<std::string> details;
  int appends = 0;
};

template <class T>
void run_now(Task<T> task) {
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, std::move(task), boost::asio::detached);
  loop.run();
}

TEST(Refusals, TheStoreIsSparedWhatIsOnlyCounted) {
  LineStore behind;
  RefusalStore store(behind);
  const auto append = [&](std::vector<audit::Event> lines) {
    run_now(store.append({.events = std::move(lines)}));
  };
  append({refusal_line("a")});
  append({refusal_line("a")});
  append({refusal_line("a")});
  EXPECT_EQ(behind.appends, 1);
  audit::Event other = refusal_line("a");
  other.event_type = "verify_fail";
  append({refusal_line("a"), other});
  append({refusal_line("a", k_refused_at + Seconds(60))});
  run_now(store.commit("k", 0, "", {}, {.events = {refusal_line("a", k_refused_at)}}));
  EXPECT_EQ(behind.details, (std::vector<std::string>{"ip", "ip", "ip; 3 more", "ip"}));
}

}  // namespace
}  // namespace otpd::otp
