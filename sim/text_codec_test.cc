#include "text_codec.h"

#include <gtest/gtest.h>

namespace otpd::sim {
namespace {

TEST(TextCodec, ParsesForms) {
  const Form form = parse_form("To=%2B1415&Body=a+b%26c%3D%C3%A4&&Empty=&Bare&To=second&Bad=%zz%4");
  EXPECT_EQ(*find_field(form, "To"), "+1415");
  EXPECT_EQ(*find_field(form, "Body"), "a b&c=ä");
  EXPECT_EQ(*find_field(form, "Empty"), "");
  EXPECT_EQ(*find_field(form, "Bare"), "");
  EXPECT_EQ(*find_field(form, "Bad"), "%zz%4");
  EXPECT_EQ(find_field(form, "None"), nullptr);
  EXPECT_EQ(form.size(), 6U);
  EXPECT_TRUE(parse_form("").empty());
}

TEST(TextCodec, DecodesBase64) {
  EXPECT_EQ(base64_decode("dXNlcjpwOnNz"), "user:p:ss");
  EXPECT_EQ(base64_decode("aGk=\r\n"), "hi");
  EXPECT_EQ(base64_decode("aG\r\nk="), "hi");
  EXPECT_EQ(base64_decode(""), "");
}

TEST(TextCodec, DecodesQuotedPrintable) {
  EXPECT_EQ(quoted_printable_decode("f=C3=BCr=\r\n dich=20=\nund_=3D=zz="), "für dich und_==zz=");
  EXPECT_EQ(quoted_printable_decode("a_b=5F", true), "a b_");
}

TEST(TextCodec, CountsCharactersNotBytes) {
  EXPECT_EQ(count_characters("aä€😀"), 4U);
  EXPECT_EQ(count_characters("\xff\xc3"), 2U);
}

TEST(TextCodec, CountsSegmentsAsCarriersDo) {
  EXPECT_EQ(count_segments(""), 1U);
  EXPECT_EQ(count_segments(std::string(160, 'a')), 1U);
  EXPECT_EQ(count_segments(std::string(161, 'a')), 2U);
  EXPECT_EQ(count_segments(std::string(306, 'a')), 2U);
  EXPECT_EQ(count_segments(std::string(307, 'a')), 3U);
  EXPECT_EQ(count_segments(std::string(159, 'a') + "€"), 2U) << "€ takes two septets";
  EXPECT_EQ(count_segments(std::string(158, 'a') + "@ß"), 1U);
  EXPECT_EQ(count_segments(std::string(69, 'a') + "ł"), 1U) << "not GSM: UCS-2";
  EXPECT_EQ(count_segments(std::string(70, 'a') + "ł"), 2U);
  EXPECT_EQ(count_segments(std::string(69, 'a') + "😀"), 2U) << "two UTF-16 units";
}

TEST(TextCodec, DecodesTheWholeGsmAlphabet) {
  std::string all;
  for (int septet = 0; septet < 128; ++septet) {
    if (septet != 0x1b) all += static_cast<char>(septet);
  }
  EXPECT_EQ(decode_gsm(all),
            "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
            "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
  EXPECT_EQ(decode_gsm("\x1b\x0a\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40"
                       "\x1b\x65"),
            "\f^{}\\[~]|€");
  EXPECT_EQ(decode_gsm("a\x1b"
                       "b\x1b"),
            "ab");
}

TEST(TextCodec, DecodesBrokenUtf16) {
  EXPECT_EQ(decode_utf16be(std::string_view("\0a\xd8\0\0b\xdc\0\0c\x7f", 11)), "a\ufffdb\ufffdc");
  EXPECT_EQ(decode_utf16be(std::string_view("\xd8\x3d", 2)), "\ufffd");
}

}  // namespace
}  // namespace otpd::sim
