#include <gtest/gtest.h>

#include <set>

#include "http_client.h"
#include "otp/recipient.h"
#include "people.h"
#include "phases.h"
#include "statistics.h"

namespace otpd::bench {
namespace {

std::vector<Nanos> nanos(std::initializer_list<int> values) {
  std::vector<Nanos> out;
  for (const int value : values) out.emplace_back(value);
  return out;
}

TEST(Statistics, PercentileIsTheNearestRank) {
  const auto ten = nanos({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(percentile(ten, 0).count(), 1);
  EXPECT_EQ(percentile(ten, 50).count(), 5);
  EXPECT_EQ(percentile(ten, 51).count(), 6);
  EXPECT_EQ(percentile(ten, 90).count(), 9);
  EXPECT_EQ(percentile(ten, 99).count(), 10);
  EXPECT_EQ(percentile(ten, 100).count(), 10);
  EXPECT_EQ(percentile({}, 50).count(), 0);
  EXPECT_EQ(percentile(nanos({7}), 99).count(), 7);
}

TEST(Statistics, SummarySortsFirst) {
  const Latencies got = summarise(nanos({9, 1, 5, 3, 7}));
  EXPECT_EQ(got.p50.count(), 5);
  EXPECT_EQ(got.p99.count(), 9);
  EXPECT_EQ(got.max.count(), 9);
}

TEST(Statistics, MedianOfOddEvenAndNone) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({}), 0);
}

// RFC 6238, appendix B: the vectors for SHA-256, cut to six digits.
TEST(Phases, MakesTheCodesOfAnAuthenticatorApp) {
  EXPECT_EQ(app_code(59), "119246");
  EXPECT_EQ(app_code(1'111'111'109), "084774");
  EXPECT_EQ(app_code(20'000'000'000), "737706");
}

TEST(Phases, FindTheTokenInAnAnswer) {
  EXPECT_EQ(member_in(R"({"session_token":"otps_a-b_1","expires_in":5})", "session_token"),
            "otps_a-b_1");
  EXPECT_EQ(member_in(R"({"verification_id":"x"})", "session_token"), "");
  EXPECT_EQ(member_in(R"({"session_token":"otps_)", "session_token"), "");
}

TEST(Schedule, ArrivalsAreDueExactlyAtTheirTime) {
  const Schedule schedule(1000.0 / 3);  // one every 3 ms
  EXPECT_EQ(schedule.at(0).count(), 0);
  EXPECT_EQ(schedule.at(7).count(), 21'000'000);
  EXPECT_EQ(schedule.due(Nanos(-1)), 0U);
  EXPECT_EQ(schedule.due(Nanos(0)), 1U);
  for (std::size_t i = 1; i < 10'000; ++i) {
    ASSERT_EQ(schedule.due(schedule.at(i)), i + 1);
    ASSERT_EQ(schedule.due(schedule.at(i) - Nanos(1)), i);
  }
}

TEST(People, AreDistinctAndHaveValidNumbers) {
  std::set<std::string> phones, addresses;
  for (std::size_t i = 0; i < k_max_people; i = i * 11 / 10 + 1) {
    const std::string phone = phone_of(i);
    const auto parsed = otp::parse_phone(phone, "");
    ASSERT_TRUE(parsed.has_value()) << phone;
    EXPECT_EQ(parsed->address.reveal(), phone);
    EXPECT_TRUE(phones.insert(phone).second);
    EXPECT_TRUE(addresses.insert(address_of(i)).second);
  }
  EXPECT_TRUE(otp::parse_phone(phone_of(k_max_people - 1), "").has_value());
}

TEST(HttpAnswer, IsTakenOnlyWhenComplete) {
  const std::string bytes =
      "HTTP/1.1 202 Accepted\r\nX: y\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n";
  const std::size_t whole = bytes.find("hello") + 5;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Answer answer;
    bool closes = true;
    const auto used = parse_answer(bytes.substr(0, size), answer, closes);
    ASSERT_TRUE(used.has_value());
    ASSERT_EQ(*used, size < whole ? 0 : whole);
    if (size < whole) continue;
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_FALSE(closes);
  }
}

TEST(HttpAnswer, TellsTheEndOfTheConnection) {
  Answer answer;
  bool closes = false;
  const auto used = parse_answer(
      "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", answer, closes);
  ASSERT_TRUE(used.has_value());
  EXPECT_TRUE(closes);
  EXPECT_EQ(answer.status, 503);
}

TEST(HttpAnswer, WithoutStatusOrLengthIsCorrupt) {
  Answer answer;
  bool closes = false;
  EXPECT_FALSE(parse_answer("HTTP/1.1 200 OK\r\n\r\n", answer, closes).has_value());
  EXPECT_FALSE(parse_answer("hello\r\n\r\n", answer, closes).has_value());
  EXPECT_TRUE(parse_answer("HTTP/1.1 204 No Content\r\n\r\n", answer, closes).has_value());
}

TEST(CodeInText, IsTheFirstGroupOfFourToTenDigits) {
  EXPECT_EQ(code_in("481623 is your code. It expires in 5 min.\n@host #481623"), "481623");
  EXPECT_EQ(code_in("In 5 min or 123 s: 12345678901 no, 4711"), "4711");
  EXPECT_EQ(code_in("no code"), "");
}

}  // namespace
}  // namespace otpd::bench
