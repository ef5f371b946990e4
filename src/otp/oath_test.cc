// HOTP and TOTP: the vectors of both RFCs in full, then windows, replay and clocks that step back.
#include "otp/oath.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/encoding.h"

namespace otpd::otp {
namespace {

using How = OathMatch::How;
using crypto::Digest;

constexpr std::string_view k_seed20 = "12345678901234567890";
constexpr std::string_view k_seed32 = "12345678901234567890123456789012";
constexpr std::string_view k_seed64 =
    "1234567890123456789012345678901234567890123456789012345678901234";
constexpr OathParams k_hotp{.type = OathType::hotp};
constexpr OathParams k_totp{};

std::string code_of(const OathParams& params, std::uint64_t counter,
                    std::string_view secret = k_seed20) {
  return std::string(oath_code(params, secret, counter).reveal());
}
TimePoint at_second(std::int64_t seconds) {
  return TimePoint(Seconds(seconds));
}
OathMatch totp(std::string_view code, std::uint64_t next, std::int64_t seconds) {
  return match_totp(k_totp, k_seed20, code, next, at_second(seconds));
}
OathMatch hotp(std::string_view code, std::uint64_t next, std::uint32_t look_ahead = 10) {
  return match_hotp(k_hotp, k_seed20, code, next, look_ahead);
}

// --- the vectors -------------------------------------------------------------------------------

TEST(OathVectors, Rfc4226AppendixD) {
  struct Vector {
    const char* mac;
    const char* code;
  };
  const std::vector<Vector> vectors = {{"cc93cf18508d94934c64b65d8ba7667fb7cde4b0", "755224"},
                                       {"75a48a19d4cbe100644e8ac1397eea747a2d33ab", "287082"},
                                       {"0bacb7fa082fef30782211938bc1c5e70416ff44", "359152"},
                                       {"66c28227d03a2d5529262ff016a1e6ef76557ece", "969429"},
                                       {"a904c900a64b35909874b33e61c5938a8e15ed1c", "338314"},
                                       {"a37e783d7b7233c083d4f62926c7a25f238d0316", "254676"},
                                       {"bc9cd28561042c83f219324d3c607256c03272ae", "287922"},
                                       {"a4fb960c0bc06e1eabb804e5b397cdc4b45596fa", "162583"},
                                       {"1b3c89f65e6c9e883012052823443f048b4332db", "399871"},
                                       {"1637409809a679dc698207310c8c7fc07290d9e5", "520489"}};
  for (std::uint64_t counter = 0; counter < vectors.size(); ++counter) {
    std::string message(8, '\0');
    message[7] = static_cast<char>(counter);
    EXPECT_EQ(hex_encode(crypto::hmac(Digest::sha1, k_seed20, message)), vectors[counter].mac);
    EXPECT_EQ(code_of(k_hotp, counter), vectors[counter].code);
  }
}

TEST(OathVectors, Rfc6238AppendixB) {
  struct Vector {
    std::int64_t seconds;
    std::uint64_t step;
    const char* sha1;
    const char* sha256;
    const char* sha512;
  };
  const Vector vectors[] = {{59, 0x1, "94287082", "46119246", "90693936"},
                            {1111111109, 0x23523EC, "07081804", "68084774", "25091201"},
                            {1111111111, 0x23523ED, "14050471", "67062674", "99943326"},
                            {1234567890, 0x273EF07, "89005924", "91819424", "93441116"},
                            {2000000000, 0x3F940AA, "69279037", "90698825", "38618901"},
                            {20000000000, 0x27BC86AA, "65353130", "77737706", "47863826"}};
  const OathParams sha1{.digest = Digest::sha1, .digits = 8};
  const OathParams sha256{.digest = Digest::sha256, .digits = 8};
  const OathParams sha512{.digest = Digest::sha512, .digits = 8};
  for (const Vector& v : vectors) {
    EXPECT_EQ(time_step(sha1, at_second(v.seconds)), v.step);
    EXPECT_EQ(code_of(sha1, v.step, k_seed20), v.sha1);
    EXPECT_EQ(code_of(sha256, v.step, k_seed32), v.sha256);
    EXPECT_EQ(code_of(sha512, v.step, k_seed64), v.sha512);
  }
}

TEST(OathVectors, FewerDigitsAreTheLastOnes) {
  EXPECT_EQ(code_of({.digits = 8}, 1), "94287082");
  EXPECT_EQ(code_of({.digits = 7}, 1), "4287082");
  EXPECT_EQ(code_of({.digits = 6}, 1), "287082");
}

// --- TOTP --------------------------------------------------------------------------------------

TEST(TotpMatch, TakesTheStepBeforeThisOneAndTheNext) {
  constexpr std::int64_t now = 3'000;  // the first second of step 100
  for (std::int64_t step = 95; step <= 105; ++step) {
    const bool near = step >= 99 && step <= 101;
    const auto match = totp(code_of(k_totp, static_cast<std::uint64_t>(step)), 0, now);
    EXPECT_EQ(match.how, near ? How::right : How::wrong) << step;
    EXPECT_EQ(match.next, near ? static_cast<std::uint64_t>(step) + 1 : 0);
  }
}

TEST(TotpMatch, AStepLastsToItsLastMillisecond) {
  const std::string code = code_of(k_totp, 99);
  const TimePoint end = at_second(3'030);  // step 101 begins
  EXPECT_EQ(match_totp(k_totp, k_seed20, code, 0, end - Millis(1)).how, How::right);
  EXPECT_EQ(match_totp(k_totp, k_seed20, code, 0, end).how, How::wrong);
}

TEST(TotpMatch, AStepIsAcceptedOnce) {
  const auto first = totp(code_of(k_totp, 100), 0, 3'000);
  ASSERT_EQ(first.how, How::right);
  EXPECT_EQ(totp(code_of(k_totp, 100), first.next, 3'000).how, How::used);
  EXPECT_EQ(totp(code_of(k_totp, 100), first.next, 3'059).how, How::used);
  EXPECT_EQ(totp(code_of(k_totp, 99), first.next, 3'000).how, How::used);
  EXPECT_EQ(totp(code_of(k_totp, 101), first.next, 3'000).how, How::right);
}

TEST(TotpMatch, ARefusalNeverMovesTheNextStep) {
  EXPECT_EQ(totp(code_of(k_totp, 100), 200, 3'000).next, 200U);
  EXPECT_EQ(totp("000000", 7, 3'000).next, 7U);
}

TEST(TotpMatch, AClockThatStepsBackOpensNothing) {
  const auto first = totp(code_of(k_totp, 100), 0, 3'000);
  for (const std::int64_t back : {1, 29, 30, 60, 600, 2'990}) {
    const std::uint64_t step = time_step(k_totp, at_second(3'000 - back));
    for (std::uint64_t near = step == 0 ? 0 : step - 1;
         near <= std::min<std::uint64_t>(step + 1, 100); ++near) {
      EXPECT_EQ(totp(code_of(k_totp, near), first.next, 3'000 - back).how, How::used) << back;
    }
  }
  EXPECT_EQ(totp(code_of(k_totp, 101), first.next, 3'030).how, How::right);
}

TEST(TotpMatch, BeginsIn1970) {
  EXPECT_EQ(totp(code_of(k_totp, 0), 0, 0).how, How::right);
  EXPECT_EQ(totp(code_of(k_totp, 1), 0, 0).how, How::right);
  EXPECT_EQ(totp(code_of(k_totp, 0), 0, -1'000).how, How::right);
}

TEST(TotpMatch, HasItsOwnPeriod) {
  const OathParams slow{.period = Seconds(60)};
  EXPECT_EQ(match_totp(slow, k_seed20, code_of(slow, 50), 0, at_second(3'059)).how, How::right);
  EXPECT_EQ(match_totp(slow, k_seed20, code_of(slow, 50), 0, at_second(3'119)).how, How::right);
  EXPECT_EQ(match_totp(slow, k_seed20, code_of(slow, 50), 0, at_second(3'120)).how, How::wrong);
}

TEST(TotpMatch, AnotherSecretHasOtherCodes) {
  EXPECT_EQ(match_totp(k_totp, k_seed32, code_of(k_totp, 100), 0, at_second(3'000)).how,
            How::wrong);
}

// --- HOTP --------------------------------------------------------------------------------------

TEST(HotpMatch, LooksAhead) {
  for (std::uint64_t counter = 4; counter <= 20; ++counter) {
    const auto match = hotp(code_of(k_hotp, counter), 5);
    const auto expected = counter == 4 ? How::used : counter <= 15 ? How::right : How::wrong;
    EXPECT_EQ(match.how, expected) << counter;
    EXPECT_EQ(match.next, expected == How::right ? counter + 1 : 5U) << counter;
  }
}

TEST(HotpMatch, WhatWasPassedOverIsUsedUp) {
  const auto match = hotp(code_of(k_hotp, 8), 5);
  ASSERT_EQ(match.next, 9U);
  for (std::uint64_t counter = 0; counter < 8; ++counter) {
    EXPECT_EQ(hotp(code_of(k_hotp, counter), match.next).how, How::wrong) << counter;
  }
  EXPECT_EQ(hotp(code_of(k_hotp, 8), match.next).how, How::used);
}

TEST(HotpMatch, TwoConsecutiveCodesAreFoundFarther) {
  const auto pair = [](std::uint64_t first, std::uint64_t second) {
    return match_hotp_pair(k_hotp, k_seed20, code_of(k_hotp, first), code_of(k_hotp, second), 5,
                           100);
  };
  EXPECT_EQ(pair(5, 6).next, 7U);
  EXPECT_EQ(pair(105, 106).next, 107U);
  EXPECT_EQ(pair(106, 107).how, How::wrong);
  EXPECT_EQ(pair(50, 52).how, How::wrong);
  EXPECT_EQ(pair(51, 50).how, How::wrong);
  EXPECT_EQ(pair(50, 50).how, How::wrong);
  EXPECT_EQ(pair(3, 4).how, How::wrong);
  EXPECT_EQ(pair(3, 4).next, 5U);
}

}  // namespace
}  // namespace otpd::otp
