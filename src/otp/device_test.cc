#include "otp/device.h"

#include <gtest/gtest.h>

#include <string>

namespace otpd::otp {
namespace {

TEST(Device, NamesAsPeopleGiveThem) {
  for (const char* good : {"x", "Ada's iPhone", "Büro-PC (Firefox)", "アリスの電話", "هاتف آدا",
                           "\xf0\x9f\x93\xb1 phone", "e\xcc\x81", "1"}) {
    EXPECT_TRUE(is_device_label(good)) << good;
  }
}

TEST(Device, LengthIsInLetters) {
  std::string letters;
  for (int i = 0; i < 64; ++i) letters += "ア";
  EXPECT_TRUE(is_device_label(letters));
  EXPECT_FALSE(is_device_label(letters + "x"));
  EXPECT_TRUE(is_device_label(std::string(64, 'x')));
  EXPECT_FALSE(is_device_label(std::string(65, 'x')));
  EXPECT_FALSE(is_device_label(""));
}

TEST(Device, NothingThatHidesOrTurnsText) {
  for (const std::string& bad :
       {std::string("\0", 1),
        std::string("a\tb"),
        std::string("a\nb"),
        std::string("\x7f"),
        std::string("\xc2\x80"),
        std::string("\xc2\x9f"),
        std::string("a\xc2\xad"),
        std::string("\xd8\x9c"),       // Arabic letter mark
        std::string("a\xe2\x80\x8b"),  // zero width space
        std::string("a\xe2\x80\x8d"),  // zero width joiner
        std::string("a\xe2\x80\x8f"),  // right-to-left mark
        std::string("a\xe2\x80\xa8"),  // line separator
        std::string("a\xe2\x80\xae"),  // NOLINT(misc-misleading-bidirectional): RTL override
        std::string("a\xe2\x81\xa6"),  // NOLINT(misc-misleading-bidirectional): LTR isolate
        std::string("a\xe2\x81\xa9"),  // pop directional isolate
        std::string("\xef\xbb\xbf"
                    "a"),                 // byte order mark
        std::string("\xee\x80\x80"),      // private use
        std::string("\xef\xbf\xbf"),      // a noncharacter
        std::string("\xf0\x9f\xbf\xbe"),  // another, of the supplementary planes
        std::string("\xf3\xa0\x80\x81"),  // a tag
        std::string(" a"),
        std::string("a ")}) {
    EXPECT_FALSE(is_device_label(bad)) << bad;
  }
}

TEST(Device, OnlyUtf8) {
  for (const char* bad : {"\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                          "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xff", "\xe2\x80"}) {
    EXPECT_FALSE(is_device_label(bad));
  }
}

}  // namespace
}  // namespace otpd::otp
