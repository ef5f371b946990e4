#include "providers/mail_html.h"

#include <gtest/gtest.h>

#include <string>

namespace otpd::providers {
namespace {

// What stands between the outermost paragraph marks, with the code's emphasis as [ ].
std::string html_of(std::string_view text, std::string_view code = "481623") {
  const Secret html = make_mail_html(text, code, "de");
  std::string out(html.reveal());
  const std::size_t begin = out.find("<p>") + 3;
  out = out.substr(begin, out.rfind("</p>") - begin);
  for (std::size_t at = 0; (at = out.find("<strong ")) != out.npos;) {
    out.replace(at, out.find('>', at) - at + 1, "[");
  }
  for (std::size_t at = 0; (at = out.find("</strong>")) != out.npos;) out.replace(at, 9, "]");
  return out;
}

TEST(MailHtml, KeepsLinesAndParagraphs) {
  EXPECT_EQ(html_of("a\nb\n\nc\n"), "a<br>\nb</p>\n<p>c");
  EXPECT_EQ(html_of("\n\na\n\n\n\nb\n\n"), "a</p>\n<p>b");
  EXPECT_EQ(html_of(""), "");
  EXPECT_EQ(html_of("\n"), "");
}

TEST(MailHtml, TheCodeIsLargeAndSelectable) {
  EXPECT_EQ(html_of("Code:\n481623\nEnde 481623."), "Code:<br>\n[481623]<br>\nEnde [481623].");
  EXPECT_EQ(html_of("481624 no code", ""), "481624 no code");
  EXPECT_EQ(html_of("a<b", "<"), "a[&lt;]b");
  const Secret html = make_mail_html("481623", "481623", "");
  EXPECT_NE(html.reveal().find("font-size:32px"), std::string::npos);
  EXPECT_NE(html.reveal().find(";user-select:all\">481623</strong>"), std::string::npos);
}

TEST(MailHtml, TheUrlThatEndsALineIsALink) {
  EXPECT_EQ(html_of("Open: https://a.example/x?a=b&c=481623"),
            "Open: <a href=\"https://a.example/x?a=b&amp;c=481623\">"
            "https://a.example/x?a=b&amp;c=481623</a>");
  EXPECT_EQ(html_of("http://a"), "<a href=\"http://a\">http://a</a>");
  EXPECT_EQ(html_of("https://a.example is no link here"), "https://a.example is no link here");
  EXPECT_EQ(html_of("javascript:alert(1)"), "javascript:alert(1)");
  EXPECT_EQ(html_of("https://a\"onclick=\"x"),
            "<a href=\"https://a&quot;onclick=&quot;x\">https://a&quot;onclick=&quot;x</a>");
}

TEST(MailHtml, NoTextBecomesMarkup) {
  EXPECT_EQ(html_of("<img src=x onerror='a'>&\x01"), "&lt;img src=x onerror=&#39;a&#39;&gt;&amp; ");
  EXPECT_TRUE(make_mail_html("x", "", "de-CH").reveal().contains("<html lang=\"de-CH\">"));
  EXPECT_TRUE(make_mail_html("x", "", "de\"><script>").reveal().contains("<html>"));
}

TEST(MailHtml, NothingIsLoadedFromElsewhere) {
  const Secret html = make_mail_html("Code 481623\nhttps://a.example/", "481623", "en");
  for (const char* remote : {"src=", "url(", "<link", "<script", "<img", "@import", "<iframe"}) {
    EXPECT_EQ(html.reveal().find(remote), std::string_view::npos) << remote;
  }
}

}  // namespace
}  // namespace otpd::providers
