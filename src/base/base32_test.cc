// base32: the vectors of RFC 4648, and what people make of them.
#include <gtest/gtest.h>

#include "base/encoding.h"

namespace otpd {
namespace {

TEST(Base32, HasTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "MY"},
                                                         {"fo", "MZXQ"},
                                                         {"foo", "MZXW6"},
                                                         {"foob", "MZXW6YQ"},
                                                         {"fooba", "MZXW6YTB"},
                                                         {"foobar", "MZXW6YTBOI"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base32_encode(bytes), text);
    EXPECT_EQ(base32_decode(text), bytes);
  }
}

TEST(Base32, TakesWhatPeopleCopy) {
  for (const char* text :
       {"MZXW6YTBOI======", "mzxw6ytboi", "mzxw 6ytb oi", "MZXW 6YTB OI== ===="}) {
    EXPECT_EQ(base32_decode(text), "foobar") << text;
  }
}

TEST(Base32, RefusesEverythingElse) {
  for (const char* text :
       {"M", "MZX", "MZXW6Y", "MZ", "MZXW6YTBOI=", "MZXW6YTBOI=======", "MZXW6YTBOJ", "MZXW1YTB",
        "MZXW-6YTB", "=", "MY=A====", "MZXW6YTB========", "M\tY"}) {
    EXPECT_EQ(base32_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace otpd
