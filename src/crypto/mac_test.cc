#include "crypto/mac.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"

namespace otpd::crypto {
namespace {

// RFC 1321 appendix A.5, FIPS 180-4 as in NIST's examples.
TEST(Mac, DigestsMatchTheirStandards) {
  EXPECT_EQ(hex_encode(digest(Digest::md5, "")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex_encode(digest(Digest::md5, "abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_encode(digest(Digest::sha1, "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digest(Digest::sha256, "abc"), sha256("abc"));
  EXPECT_EQ(hex_encode(digest(Digest::sha512, "abc")),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// RFC 2202 sections 2 and 3, RFC 4231 section 4.3; the key and message are the same in all three.
TEST(Mac, HmacMatchesRfc2202AndRfc4231) {
  const std::string_view key = "Jefe";
  const std::string_view message = "what do ya want for nothing?";
  EXPECT_EQ(hex_encode(hmac(Digest::md5, key, message)), "750c783e6ab0b503eaa86e310a5db738");
  EXPECT_EQ(hex_encode(hmac(Digest::sha1, key, message)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex_encode(hmac(Digest::sha256, key, message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac(Digest::sha512, key, message)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(Mac, EmptyAndLongKeysAgreeWithTheOtherLibrary) {
  for (const std::string& key : {std::string(), std::string(64, 'k'), std::string(200, 'k')}) {
    EXPECT_EQ(hmac(Digest::sha256, key, "m"), hmac_sha256(key, "m"));
    EXPECT_EQ(hmac(Digest::sha256, key, ""), hmac_sha256(key, ""));
  }
  // RFC 2202 section 3, case 6: a key that is longer than a block.
  EXPECT_EQ(hex_encode(hmac(Digest::sha1, std::string(80, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

TEST(Mac, Pbkdf2OfItsTestVectors) {
  // RFC 7914 section 11.
  EXPECT_EQ(hex_encode(pbkdf2_sha256("passwd", "salt", 1, 64)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  EXPECT_EQ(hex_encode(pbkdf2_sha256("Password", "NaCl", 80'000, 64)),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
            "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d");
}

}  // namespace
}  // namespace otpd::crypto
