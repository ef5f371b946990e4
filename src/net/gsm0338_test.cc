#include "net/gsm0338.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace otpd::net {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string hex_of(std::string_view utf8) {
  const auto text = encode_sms(utf8, 7, 10);
  return text ? hex_encode(text->parts.at(0).reveal()) : text.error().message;
}

// What the parts say, put together again; checks the headers.
std::string reassembled(const SmsText& text, std::uint8_t reference) {
  std::string out;
  for (std::size_t i = 0; i < text.parts.size(); ++i) {
    std::string_view part = text.parts[i].reveal();
    if (text.has_header()) {
      const std::string header{0x05,
                               0x00,
                               0x03,
                               static_cast<char>(reference),
                               static_cast<char>(text.parts.size()),
                               static_cast<char>(i + 1)};
      EXPECT_EQ(part.substr(0, 6), header);
      part.remove_prefix(6);
    }
    // Each part decodes by itself: no pair is split.
    const auto said = text.alphabet == SmsAlphabet::gsm7 ? decode_gsm7(part) : decode_ucs2(part);
    EXPECT_TRUE(said) << "part " << i + 1;
    out += said.value_or("?");
  }
  return out;
}

TEST(Gsm0338, HasEveryCharacterOfTheAlphabet) {
  // 3GPP TS 23.038, sections 6.2.1 and 6.2.1.1; 0x1b is the escape itself.
  constexpr std::string_view k_rows[] = {
      "@£$¥èéùìòÇ\nØø\rÅå", "Δ_ΦΓΛΩΠΨΣΘΞ",      "ÆæßÉ",
      " !\"#¤%&'()*+,-./",  "0123456789:;<=>?", "¡ABCDEFGHIJKLMNO",
      "PQRSTUVWXYZÄÖÑÜ§",   "¿abcdefghijklmno", "pqrstuvwxyzäöñüà"};
  std::string all;
  for (const auto row : k_rows) all += row;
  std::string octets;
  for (int i = 0; i < 128; ++i) {
    if (i != 0x1b) octets += static_cast<char>(i);
  }
  EXPECT_EQ(hex_of(all), hex_encode(octets));
  EXPECT_EQ(decode_gsm7(octets), all);
  EXPECT_EQ(hex_of("\f^{}\\[~]|€"), "1b0a1b141b281b291b2f1b3c1b3d1b3e1b401b65");
}

TEST(Gsm0338, DoesNotSendAsciiForGsm) {
  EXPECT_EQ(hex_of("@login.example.com #123456").substr(0, 2), "00");
  EXPECT_EQ(hex_of("Code @$_{[€ 123456"),
            "436f64652000"
            "0211"
            "1b281b3c1b65"
            "20313233343536");
}

TEST(Gsm0338, FallsBackToUcs2) {
  const struct {
    std::string_view text, hex;
  } cases[] = {
      {"ç", "00e7"},  // the alphabet has only Ç
      {"`", "0060"},  // nor this one of ASCII
      {"код", "043a043e0434"}, {"😀", "d83dde00"},
      {"a\x1b", "0061001b"},  // the escape is no character
  };
  for (const auto& c : cases) {
    EXPECT_EQ(hex_of(c.text), c.hex) << c.text;
    EXPECT_EQ(encode_sms(c.text, 7, 10).value().alphabet, SmsAlphabet::ucs2);
  }
}

TEST(Gsm0338, CutsAtTheBoundaries) {
  const struct {
    std::string name, text;
    SmsAlphabet alphabet;
    std::vector<std::size_t> sizes;  // in octets, with the header
  } cases[] = {
      {"nothing", "", SmsAlphabet::gsm7, {0}},
      {"160", repeated("a", 160), SmsAlphabet::gsm7, {160}},
      {"161", repeated("a", 161), SmsAlphabet::gsm7, {159, 14}},
      {"306", repeated("a", 306), SmsAlphabet::gsm7, {159, 159}},
      {"307", repeated("a", 307), SmsAlphabet::gsm7, {159, 159, 7}},
      {"80 pairs", repeated("€", 80), SmsAlphabet::gsm7, {160}},
      {"a pair over 160", repeated("a", 159) + "€", SmsAlphabet::gsm7, {159, 14}},
      {"a pair at 153", repeated("a", 152) + "[" + repeated("b", 20), SmsAlphabet::gsm7, {158, 28}},
      {"a pair before 153",
       repeated("a", 151) + "[" + repeated("b", 20),
       SmsAlphabet::gsm7,
       {159, 26}},
      {"81 pairs", repeated("€", 81), SmsAlphabet::gsm7, {158, 16}},
      {"70", repeated("ж", 70), SmsAlphabet::ucs2, {140}},
      {"71", repeated("ж", 71), SmsAlphabet::ucs2, {140, 14}},
      {"134", repeated("ж", 134), SmsAlphabet::ucs2, {140, 140}},
      {"135", repeated("ж", 135), SmsAlphabet::ucs2, {140, 140, 8}},
      {"an emoji at 70", repeated("ж", 69) + "😀", SmsAlphabet::ucs2, {140, 14}},
      {"an emoji at 67",
       repeated("ж", 66) + "😀" + repeated("ж", 10),
       SmsAlphabet::ucs2,
       {138, 30}},
      {"an emoji before 67",
       repeated("ж", 65) + "😀" + repeated("ж", 10),
       SmsAlphabet::ucs2,
       {140, 26}},
      {"an emoji at 68",
       repeated("ж", 67) + "😀" + repeated("ж", 10),
       SmsAlphabet::ucs2,
       {140, 30}},
      {"35 emojis", repeated("😀", 35), SmsAlphabet::ucs2, {140}},
      {"36 emojis", repeated("😀", 36), SmsAlphabet::ucs2, {138, 18}},
  };
  for (const auto& c : cases) {
    const auto text = encode_sms(c.text, 0xfe, 10);
    ASSERT_TRUE(text) << c.name;
    EXPECT_EQ(text->alphabet, c.alphabet) << c.name;
    std::vector<std::size_t> sizes;
    for (const Secret& part : text->parts) sizes.push_back(part.size());
    EXPECT_EQ(sizes, c.sizes) << c.name;
    EXPECT_EQ(reassembled(*text, 0xfe), c.text) << c.name;
  }
}

TEST(Gsm0338, RefusesWhatIsTooLongOrNoText) {
  EXPECT_TRUE(encode_sms(repeated("a", 306), 0, 2));
  EXPECT_FALSE(encode_sms(repeated("a", 307), 0, 2));
  EXPECT_FALSE(encode_sms(repeated("a", 1'000'000), 0, 255));
  for (const char* text : {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xff",
                           "\xe2\x82", "\xf0\x80\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_FALSE(encode_sms(text, 0, 2)) << hex_encode(text);
  }
}

TEST(Gsm0338, DecodesOnlyWhatIsText) {
  using namespace std::string_view_literals;
  for (const auto octets : {"\x1b"sv, "a\x1b"sv, "\x1b\x00"sv, "\x1b\x1b"sv, "\x80"sv}) {
    EXPECT_FALSE(decode_gsm7(octets)) << hex_encode(octets);
  }
  for (const auto bytes : {"a"sv, "\xd8\x3d"sv, "\xd8\x3d\x00\x41"sv, "\xde\x00"sv}) {
    EXPECT_FALSE(decode_ucs2(bytes)) << hex_encode(bytes);
  }
}

}  // namespace
}  // namespace otpd::net
