#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <thread>

#include "base/encoding.h"
#include "base/secret.h"
#include "base/task.h"
#include "base/uuid.h"

namespace otpd {
namespace {

TEST(Encoding, Base64UrlRoundTripsEveryLength) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string bytes = random.bytes(size);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)), bytes);
    EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64url_encode("\xfb\xff\xfe"), "-__-");
}

TEST(Encoding, RefusesWhatIsNotCanonical) {
  for (const char* text : {"A", "AB=", "AB==", "A B", "AB", "AAB", "+/AA", "AAAAA"}) {
    // "AB" and "AAB" carry bits that no byte holds.
    EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(hex_decode("abc"), std::nullopt);
  EXPECT_EQ(hex_decode("zz"), std::nullopt);
}

// RFC 4648 section 10, and what differs from base64url.
TEST(Encoding, Base64IsPaddedAndStrict) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xfb\xff\xfe", "+//+"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "-__-", "Zm8=Zm8=", "Zm 9",
                           "Zg==\n", "Z=g="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Uuid, Version7CarriesTheTimeAndSorts) {
  SeededRandom random(2);
  const auto early = uuid_v7(TimePoint(Millis(0x0123456789ab)), random);
  const auto late = uuid_v7(TimePoint(Millis(0x0123456789ac)), random);
  EXPECT_EQ(early.substr(0, 15), "01234567-89ab-7");
  EXPECT_LT(early, late);
  EXPECT_EQ(parse_uuid(early), early);
}

TEST(Uuid, ParsesOneFormOnly) {
  EXPECT_EQ(parse_uuid("550E8400-E29B-41D4-A716-446655440000"),
            "550e8400-e29b-41d4-a716-446655440000");
  EXPECT_FALSE(parse_uuid("550e8400e29b41d4a716446655440000"));
  EXPECT_FALSE(parse_uuid("550e8400-e29b-41d4-a716-44665544000g"));
  EXPECT_FALSE(parse_uuid(""));
}

TEST(Secret, WipesItsSourceAndItself) {
  std::string source = "481623";
  const char* where = source.data();
  Secret secret(std::move(source));
  EXPECT_EQ(std::string(where, 6), std::string(6, '\0'));
  EXPECT_EQ(secret.reveal(), "481623");
  Secret moved(std::move(secret));
  EXPECT_EQ(moved.reveal(), "481623");
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(Task, CallbackResumesAndDeadlineFires) {
  boost::asio::io_context loop;
  int answered = 0;
  bool timed_out = false;
  std::thread other;
  Callback<Result<int>> late;
  auto body = [&]() -> Task<void> {
    auto got = co_await await_callback<int>(Seconds(5), [&](Callback<Result<int>> done) {
      other = std::thread([done = std::move(done)]() mutable { done(7); });
    });
    answered = got.value_or(-1);
    auto none = co_await await_callback<int>(
        Millis(20), [&](Callback<Result<int>> done) { late = std::move(done); });
    timed_out = !none && none.error().kind == Failure::timeout;
    late(9);  // dropped
  };
  boost::asio::co_spawn(loop.get_executor(), body(), boost::asio::detached);
  loop.run_for(Seconds(2));
  other.join();
  EXPECT_EQ(answered, 7);
  EXPECT_TRUE(timed_out);
}

}  // namespace
}  // namespace otpd
