#include "net/request_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "net/test_malformed.h"

namespace otpd::net {
namespace {

using State = RequestParser::State;

constexpr RequestLimits k_limits{k_malformed_header_bytes, k_malformed_body_bytes};

// Feeds `bytes` in pieces of `step` as a connection would; the rest stays in `bytes`.
void feed_all(RequestParser& parser, std::string& bytes, std::size_t step) {
  std::string pending;
  while (parser.state() == State::header || parser.state() == State::body) {
    if (bytes.empty()) break;
    const std::size_t n = std::min(step, bytes.size());
    pending.append(bytes, 0, n);
    bytes.erase(0, n);
    std::size_t used = parser.feed(pending);
    if (parser.state() == State::body) used += parser.feed(std::string_view(pending).substr(used));
    pending.erase(0, used);
    ASSERT_LE(pending.size(), parser.max_pending() + step);
  }
  bytes.insert(0, pending);
}

int refused_status(std::string bytes, std::size_t step) {
  RequestParser parser(k_limits);
  feed_all(parser, bytes, step);
  return parser.state() == State::refused ? parser.refusal().status : 0;
}

TEST(RequestParser, ReadsEveryPartWhateverThePieces) {
  const std::string whole =
      "POST /otp/send?x=1&y HTTP/1.1\r\nHost: a.example\r\nX-Empty:\r\nX-A:  b c \r\n"
      "Content-Length: 5\r\n\r\nhello";
  for (std::size_t step = 1; step <= whole.size(); ++step) {
    RequestParser parser(k_limits);
    std::string bytes = whole + "GET";
    feed_all(parser, bytes, step);
    ASSERT_EQ(parser.state(), State::done) << step;
    EXPECT_TRUE(bytes.starts_with("GET"));
    EXPECT_TRUE(parser.keep_alive());
    const HttpRequest request = parser.take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/otp/send");
    EXPECT_EQ(request.query, "x=1&y");
    EXPECT_EQ(request.body, "hello");
    EXPECT_EQ(find_header(request.headers, "x-a"), "b c");
    EXPECT_EQ(count_headers(request.headers, "X-EMPTY"), 1U);
    EXPECT_EQ(request.headers.size(), 4U);
  }
}

TEST(RequestParser, ABodyMayEndInACarriageReturnThatComesAlone) {
  for (std::size_t step = 1; step < 80; ++step) {
    RequestParser parser(k_limits);
    std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{\r";
    feed_all(parser, bytes, step);
    ASSERT_EQ(parser.state(), State::done) << step;
    EXPECT_EQ(parser.take().body, "{\r");
  }
}

TEST(RequestParser, ReadsChunksAndIgnoresTrailers) {
  RequestParser parser(k_limits);
  std::string bytes =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n";
  feed_all(parser, bytes, 7);
  ASSERT_EQ(parser.state(), State::done);
  const HttpRequest request = parser.take();
  EXPECT_EQ(request.body, "abcde");
  EXPECT_EQ(count_headers(request.headers, "X-Forwarded-For"), 0U);
}

TEST(RequestParser, TakesPipelinedRequestsInOrder) {
  RequestParser parser(k_limits);
  std::string bytes =
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"
      "GET http://a/3?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  feed_all(parser, bytes, 1000);
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.take().path, "/1");
  parser.start();
  feed_all(parser, bytes, 1000);
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_TRUE(parser.is_http10());
  EXPECT_FALSE(parser.keep_alive());
  EXPECT_EQ(parser.take().path, "/2");
  parser.start();
  feed_all(parser, bytes, 1000);
  ASSERT_EQ(parser.state(), State::done);
  EXPECT_FALSE(parser.keep_alive());
  const HttpRequest third = parser.take();
  EXPECT_EQ(third.path, "/3");
  EXPECT_EQ(third.query, "q");
}

TEST(RequestParser, RefusesWhatIsMalformedWhateverThePieces) {
  for (const Malformed& refused : malformed_requests()) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{100'000}}) {
      EXPECT_EQ(refused_status(refused.bytes, step), refused.status)
          << "in steps of " << step << ": " << refused.bytes.substr(0, 200);
    }
  }
}

// Random damage to valid requests: whatever comes, the parser must end in a known state, keep
// what is pending bounded, and never read out of bounds (this runs under the sanitizers too).
TEST(RequestParser, SurvivesDamagedRequests) {
  SeededRandom random(42);
  const std::string chunked =
      "POST /x?y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
      "5\r\nabcde\r\n3;a=\"b\"\r\nxyz\r\n0\r\nT: v\r\n\r\n";
  const std::string sized =
      "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nConnection: close, x\r\n\r\n12345678";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = round % 2 == 0 ? chunked : sized;
    for (std::uint64_t n = random.u64() % 4 + 1; n > 0; --n) {
      const std::size_t at = random.u64() % bytes.size();
      switch (random.u64() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random.u64());
          break;
        case 1:
          bytes.erase(at, random.u64() % 6 + 1);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random.u64() % bytes.size(), 9));
          break;
        default:
          bytes.insert(at, "\r\n", random.u64() % 3);
          break;
      }
      if (bytes.empty()) bytes = "x";
    }
    RequestParser parser(k_limits);
    feed_all(parser, bytes, random.u64() % 40 + 1);
    if (parser.state() == State::done) {
      EXPECT_LE(parser.take().body.size(), k_limits.body_bytes);
    }
  }
}

}  // namespace
}  // namespace otpd::net
