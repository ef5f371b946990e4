#include "app/config_forms.h"

#include <gtest/gtest.h>

namespace otpd::app {
namespace {

TEST(ConfigForms, OriginsAreSpeltAsBrowsersDo) {
  for (const char* good : {"https://shop.example", "http://localhost:3000", "http://127.0.0.1:8080",
                           "http://[::1]:3000", "https://shop.example:8443", "*"}) {
    EXPECT_TRUE(is_cors_origin(good)) << good;
  }
  for (const char* bad :
       {"", "null", "shop.example", "https://shop.example/", "https://shop.example/a",
        "https://Shop.example", "HTTPS://shop.example", "https://shop.example:443",
        "http://shop.example:80", "https://shop.example:", "https://shop.example:0443",
        "https://*.shop.example", "ftp://shop.example", "https://a@shop.example", "https://",
        "https://shop.example?a", "https://shop.example https://b.example", "**"}) {
    EXPECT_FALSE(is_cors_origin(bad)) << bad;
  }
}

TEST(ConfigForms, Endpoints) {
  for (const char* good : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:8080", "[::]:65535"}) {
    const auto endpoint = parse_endpoint(good);
    ASSERT_TRUE(endpoint) << good;
    EXPECT_EQ(format_endpoint(*endpoint), good);
  }
  for (const char* bad : {"",
                          ":",
                          ":80",
                          "127.0.0.1",
                          "127.0.0.1:",
                          "127.0.0.1:65536",
                          "127.0.0.1:-1",
                          "127.0.0.1:080",
                          "127.0.0.1: 80",
                          "127.0.0.1:80 ",
                          "localhost:80",
                          "::1:8080",
                          "[::1]",
                          "[127.0.0.1]:80",
                          "[::ffff:127.0.0.1]:80",
                          "127.1:80",
                          "127.0.0.01:80",
                          "[::1:80",
                          "127.0.0.1:8080\n",
                          "[fe80::1%eth0]:80"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

TEST(ConfigForms, Loopback) {
  for (const char* local : {"127.0.0.1:1", "127.255.255.254:1", "[::1]:1"}) {
    EXPECT_TRUE(is_loopback(parse_endpoint(local).value())) << local;
  }
  for (const char* open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "[::2]:1"}) {
    EXPECT_FALSE(is_loopback(parse_endpoint(open).value())) << open;
  }
  EXPECT_TRUE(is_wildcard(parse_endpoint("0.0.0.0:1").value()));
  EXPECT_TRUE(is_wildcard(parse_endpoint("[::]:1").value()));
  EXPECT_FALSE(is_wildcard(parse_endpoint("[::1]:1").value()));
}

TEST(ConfigForms, Networks) {
  for (const char* good : {"10.0.0.1", "10.0.0.0/8", "192.168.1.128/25", "::1", "fc00::/7",
                           "2001:db8::/32", "10.0.0.1/32", "::1/128"}) {
    EXPECT_TRUE(is_network(good)) << good;
  }
  for (const char* bad :
       {"", "/", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.1/8", "10.0.0.0/33",
        "::/129", "8000::/1", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-8", "10.0.0.0/8/8",
        "::ffff:10.0.0.0/104", "localhost", "10.0.0.0/ 8", "*", "10.*"}) {
    EXPECT_FALSE(is_network(bad)) << bad;
  }
}

TEST(ConfigForms, Urls) {
  const auto url = parse_url("https://[2001:db8::1]:8443/a?b#c");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->port, "8443");
  EXPECT_EQ(url->rest, "/a?b#c");
  for (const char* bad : {"", "http://", "http:/a", "//a", "http://a b", "http://a:b", "http://a:",
                          "http://u@a", "http://u:p@a", "http://[::1", "http://[1.2.3.4]/",
                          "http://a\n", "http://-a", "http://a..b", "http://a:65536"}) {
    EXPECT_FALSE(parse_url(bad)) << bad;
  }
  EXPECT_TRUE(is_loopback(parse_url("http://localhost:1").value()));
  EXPECT_TRUE(is_loopback(parse_url("http://[::1]:1").value()));
  EXPECT_FALSE(is_loopback(parse_url("http://localhost.example").value()));
}

TEST(ConfigForms, UrlsForAPurpose) {
  EXPECT_TRUE(is_base_url("https://otp.example/base"));
  for (const char* bad : {"ftp://a", "https://a/", "https://a?b", "https://a#b"}) {
    EXPECT_FALSE(is_base_url(bad)) << bad;
  }
  EXPECT_TRUE(is_link_url("https://a/reset#{token}"));
  for (const char* bad :
       {"https://a/reset", "https://a/{token}{token}", "https://{token}/", "javascript:{token}"}) {
    EXPECT_FALSE(is_link_url(bad)) << bad;
  }
  EXPECT_TRUE(is_smtp_url("smtp://mail.example:587"));
  EXPECT_TRUE(is_smtp_url("smtps://mail.example"));
  for (const char* bad : {"http://a", "smtp://a/b", "smtp://u@a"}) {
    EXPECT_FALSE(is_smtp_url(bad)) << bad;
  }
}

TEST(ConfigForms, NamesAndIds) {
  const std::string digest(64, 'a');
  const std::string sid(32, '0');
  EXPECT_TRUE(is_name("password_reset") && is_name("a1"));
  EXPECT_FALSE(is_name("") || is_name("1a") || is_name("A") || is_name("a-b") ||
               is_name(std::string(33, 'a')));
  EXPECT_TRUE(is_api_key("my-shop:" + digest));
  EXPECT_TRUE(is_api_key("my-bank/my-shop:" + digest));
  EXPECT_FALSE(is_api_key("/shop:" + digest) || is_api_key("a/b/shop:" + digest) ||
               is_api_key("a/:" + digest));
  EXPECT_FALSE(is_api_key("shop:" + digest + "a") || is_api_key("shop:" + digest.substr(1)) ||
               is_api_key(digest) || is_api_key(":" + digest) ||
               is_api_key("shop:" + std::string(64, 'A')));
  EXPECT_TRUE(is_account_sid("AC" + sid) && is_messaging_service_sid("MG" + sid));
  EXPECT_FALSE(is_account_sid("MG" + sid) || is_account_sid("AC" + sid + "0"));
  EXPECT_TRUE(is_date("2026-12-31") && is_date("2028-02-29"));
  for (const char* none : {"", "2026-02-29", "2026-1-1", "20261231", "2026-12-31T00:00:00Z"}) {
    EXPECT_FALSE(is_date(none)) << none;
  }
  EXPECT_TRUE(is_region("US"));
  EXPECT_FALSE(is_region("us") || is_region("USA") || is_region("U"));
  for (const char* good : {"en", "pt-BR", "zh-Hant", "zh-Hant-TW", "es-419"}) {
    EXPECT_TRUE(is_locale(good)) << good;
  }
  for (const char* bad : {"", "EN", "pt-br", "pt_BR", "e", "en-", "en-USA", "en-US-x"}) {
    EXPECT_FALSE(is_locale(bad)) << bad;
  }
}

TEST(ConfigForms, Mailboxes) {
  for (const char* good : {"a@b", "otpd <otp@localhost>", "A B <a.b@c.example>"}) {
    EXPECT_TRUE(is_mailbox(good)) << good;
  }
  for (const char* bad : {"", "a", "@b", "a@", "a@b\r\nBcc: c@d", "A <a@b", "A <a@b> ", "a@b,c@d",
                          "A <a@b, c@d>", "A <<a@b>", "a@b>", ">"}) {
    EXPECT_FALSE(is_mailbox(bad)) << bad;
  }
}

TEST(ConfigForms, TextIsUtf8WithoutControlCharacters) {
  EXPECT_TRUE(is_line("naïve – 日本 😀"));
  EXPECT_TRUE(is_lines("a\nb"));
  for (const char* bad : {"a\nb", "a\r", "\t", "\x7f", "\x1b[0m"}) {
    EXPECT_FALSE(is_line(bad)) << bad;
  }
  // Cut short, overlong, a surrogate, beyond Unicode, stray.
  for (const char* bad : {"\xc3", "\xe2\x82", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));
}

}  // namespace
}  // namespace otpd::app
