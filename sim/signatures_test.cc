#include "signatures.h"

#include <gtest/gtest.h>

#include "twilio_face.h"

namespace otpd::sim {
namespace {

// The vector of Twilio's own libraries.
TEST(Signatures, SignAsTwilioDoes) {
  EXPECT_EQ(twilio_signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2",
                             {{"CallSid", "CA1234567890ABCDE"},
                              {"Caller", "+14158675309"},
                              {"Digits", "1234"},
                              {"From", "+14158675309"},
                              {"To", "+18005551212"}}),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

TEST(Signatures, SignAsVonageDoes) {
  const std::string sig = vonage_signature("abcd", {{"messageId", "x"},
                                                    {"msisdn", "14155552671"},
                                                    {"nonce", "n&=1"},
                                                    {"timestamp", "1700000000"}});
  EXPECT_EQ(sig.substr(0, 8), "7a9b708d");
  EXPECT_EQ(sig.substr(60), "bdef");
}

// RFC 4231, test case 2.
TEST(Signatures, SignBodies) {
  EXPECT_EQ(body_signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Twiml, SaysWhatStandsInSay) {
  EXPECT_EQ(said_by("<Response><Say language=\"en-GB\">Your code is\n  4, 8</Say><Pause/>"
                    "<Gather><Say>Tom &amp; <prosody rate=\"slow\">Ada</prosody></Say></Gather>"
                    "<Say/></Response>"),
            "Your code is 4, 8\nTom & Ada");
  EXPECT_EQ(said_by("<Response><Hangup/></Response>"), "");
  EXPECT_EQ(said_by("<Say>never ends"), "");
  EXPECT_EQ(said_by("<Say"), "");
}

}  // namespace
}  // namespace otpd::sim
