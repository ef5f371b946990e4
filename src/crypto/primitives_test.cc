#include "crypto/primitives.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace otpd::crypto {
namespace {

class SodiumStarts : public ::testing::Environment {
 public:
  void SetUp() override { init(); }
};
const auto* const k_sodium_starts = ::testing::AddGlobalTestEnvironment(new SodiumStarts);

std::string unhex(std::string_view text) {
  return hex_decode(text).value();
}

// RFC 4231 section 4, except case 5 (truncated output).
TEST(Primitives, HmacSha256MatchesRfc4231) {
  const struct {
    std::string key, message;
    std::string_view mac;
  } cases[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key "
       "needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& c : cases) EXPECT_EQ(hex_encode(hmac_sha256(c.key, c.message)), c.mac);
}

// FIPS 180-4, as in NIST's examples.
TEST(Primitives, Sha256MatchesNist) {
  EXPECT_EQ(hex_encode(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Primitives, PartsCannotBeShifted) {
  const std::string base = hmac_sha256_parts("key", {"ab", "c"});
  EXPECT_NE(base, hmac_sha256_parts("key", {"a", "bc"}));
  EXPECT_NE(base, hmac_sha256_parts("key", {"abc"}));
  EXPECT_NE(base, hmac_sha256_parts("key", {"ab", "c", ""}));
  EXPECT_NE(base, hmac_sha256_parts("kez", {"ab", "c"}));
  const std::string joined = std::string("\2\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0c", 19);
  EXPECT_EQ(base, hmac_sha256("key", joined));
}

TEST(Primitives, EqualityLooksAtEveryByte) {
  const std::string a(32, 'x');
  EXPECT_TRUE(equal_constant_time(a, std::string(32, 'x')));
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_FALSE(equal_constant_time(a, ""));
  EXPECT_FALSE(equal_constant_time(a, std::string(31, 'x')));
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::string b = a;
    b[i] ^= 1;
    EXPECT_FALSE(equal_constant_time(a, b)) << i;
  }
}

TEST(Primitives, SystemRandomFillsAndDiffers) {
  SystemRandom random;
  EXPECT_NE(random.bytes(32), random.bytes(32));
  EXPECT_EQ(random.bytes(0), "");
}

}  // namespace
}  // namespace otpd::crypto
