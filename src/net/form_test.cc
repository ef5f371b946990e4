#include "net/form.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

namespace otpd::net {
namespace {

TEST(Form, EncodesEveryByteAsLibcurlDoes) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  char* theirs = curl_easy_escape(nullptr, every.data(), static_cast<int>(every.size()));
  EXPECT_EQ(percent_encode(every), theirs);
  curl_free(theirs);
  EXPECT_EQ(percent_encode("+1 (415) é&=\n"), "%2B1%20%28415%29%20%C3%A9%26%3D%0A");
  EXPECT_EQ(percent_encode(""), "");
}

TEST(Form, JoinsFieldsInOrder) {
  EXPECT_EQ(form_encode({}).reveal(), "");
  EXPECT_EQ(form_encode({{"To", "+49 30&x=y"}, {"Empty", ""}, {"a b", "@host #481623"}}).reveal(),
            "To=%2B49%2030%26x%3Dy&Empty=&a%20b=%40host%20%23481623");
}

TEST(Form, DecodesFieldsInOrder) {
  const auto decoded = [](std::string_view text) {
    std::string out;
    const auto fields = form_decode(text, 4);
    if (!fields) return std::string("none");
    for (const auto& [name, value] : *fields) out += "[" + name + "|" + value + "]";
    return out;
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"a=b", "[a|b]"},
      {"a=b&a=c&b", "[a|b][a|c][b|]"},
      {"a=b=c&=d&&", "[a|b=c][|d]"},
      {"To=%2B49+30%26x%3Dy&%41=%c3%A9", "[To|+49 30&x=y][A|\xc3\xa9]"},
      {"a=%", "none"},
      {"a=%4", "none"},
      {"a=%4g", "none"},
      {"%zz=1", "none"},
      {"a&b&c&d", "[a|][b|][c|][d|]"},
      {"a&b&c&d&e", "none"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(decoded(text), expected) << text;
}

}  // namespace
}  // namespace otpd::net
