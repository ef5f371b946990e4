// What people may be shown, and how the rest is spelt out.
#include "base/visible_text.h"

#include <gtest/gtest.h>

namespace otpd {
namespace {

TEST(VisibleText, ALineIsSeenAsItIsWritten) {
  for (const char* good : {"x", "Ada's iPhone", "Büro-PC (Firefox)", "アリスの電話", "هاتف آدا",
                           "a\xc2\xa0"
                           "b",
                           "\xf0\x9f\x93\xb1 phone", "e\xcc\x81"}) {
    EXPECT_TRUE(is_visible_line(good, 64)) << good;
  }
  for (const char* bad : {"", " ", " a", "a ", "\xc2\xa0", "a\xe3\x80\x80", "a\nb",
                          "a\xc2\x9b"
                          "b",
                          "a\xe2\x80\xae"  // NOLINT(misc-misleading-bidirectional): spelt out
                          "b",
                          "a\xe2\x80\x8b"
                          "b",
                          "a\xef\xbb\xbf"
                          "b",
                          "a\xf3\xa0\x81\x81"
                          "b",
                          "a\xff"
                          "b"}) {
    EXPECT_FALSE(is_visible_line(bad, 64)) << bad;
  }
}

TEST(VisibleText, LengthIsInLetters) {
  EXPECT_TRUE(is_visible_line("アリス", 3));
  EXPECT_FALSE(is_visible_line("アリスx", 3));
}

TEST(VisibleText, WhatIsHiddenIsSpeltOut) {
  EXPECT_EQ(spell_hidden("Ada's アリス"), "Ada's アリス");
  EXPECT_EQ(spell_hidden("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
  EXPECT_EQ(spell_hidden("\xc2\x9b"
                         "31m"),
            "\\u{9b}31m");
  EXPECT_EQ(spell_hidden("x\xe2\x80\xae"), "x\\u{202e}");  // NOLINT(misc-misleading-bidirectional)
  EXPECT_EQ(spell_hidden("a\x9b\xff"), "a\\x9b\\xff");
  EXPECT_EQ(spell_hidden(std::string("\0", 1)), "\\u{0}");
}

}  // namespace
}  // namespace otpd
