#include "gateway/client_ip.h"

#include <gtest/gtest.h>

#include <map>

namespace otpd::gateway {
namespace {

class ClientIp : public ::testing::Test {
 protected:
  std::string from(const std::string& peer, net::Headers headers) {
    net::HttpRequest request;
    request.peer = peer;
    request.headers = std::move(headers);
    return client_ip(request, proxies_);
  }
  // Through the proxy 10.0.0.1 with this field.
  std::string through(const std::string& value, const std::string& field = "X-Forwarded-For") {
    return from("10.0.0.1", {{field, value}});
  }
  Networks proxies_ = Networks::parse({"10.0.0.0/8", "2001:db8:ffff::/48"}).value();
};

TEST_F(ClientIp, APeerThatIsNotTrustedSpeaksForItself) {
  EXPECT_EQ(from("203.0.113.9", {{"X-Forwarded-For", "198.51.100.1"}}), "203.0.113.9");
  EXPECT_EQ(from("203.0.113.9", {{"Forwarded", "for=198.51.100.1"}}), "203.0.113.9");
  EXPECT_EQ(from("11.0.0.1", {{"X-Forwarded-For", "10.0.0.1"}}), "11.0.0.1");
}

TEST_F(ClientIp, ATrustedPeerWithoutAWordIsTheClient) {
  EXPECT_EQ(from("10.0.0.1", {}), "10.0.0.1");
}

TEST_F(ClientIp, TheRightMostThatIsNoProxyIsTheClient) {
  EXPECT_EQ(through("198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(through("1.1.1.1, 198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(through("1.1.1.1, 198.51.100.1, 10.9.9.9,10.0.0.3"), "198.51.100.1");
  EXPECT_EQ(through("10.0.0.7, 10.0.0.8"), "10.0.0.7");  // all of them proxies: the outermost
  EXPECT_EQ(from("10.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}, {"x-forwarded-for", "2.2.2.2"}}),
            "2.2.2.2");
}

TEST_F(ClientIp, WhatIsNoAddressEndsTheWalk) {
  for (const char* garbage :
       {"unknown", "_hidden", "1.2.3", "1.2.3.4.5", "999.1.1.1", "a:b", "", "1.2.3.4:http",
        "1.2.3.4:", "1.2.3.4:123456", "[::1", "::1]", "[]", "[1.2.3.4]", "[2001:db8::1]x",
        "[2001:db8::1]:port", "0x7f.1", "1.2.3.4 5.6.7.8", "127.1"}) {
    EXPECT_EQ(through(std::string("1.1.1.1, ") + garbage), "10.0.0.1") << garbage;
    EXPECT_EQ(through(std::string("1.1.1.1, ") + garbage + ", 10.0.0.4"), "10.0.0.4") << garbage;
  }
}

TEST_F(ClientIp, EntriesMayHavePortsAndBrackets) {
  EXPECT_EQ(through("198.51.100.1:4711"), "198.51.100.1");
  EXPECT_EQ(through("[2001:db8::1]"), "2001:db8::1");
  EXPECT_EQ(through("[2001:db8::1]:4711"), "2001:db8::1");
  EXPECT_EQ(through("2001:db8::1"), "2001:db8::1");
}

TEST_F(ClientIp, EverySpellingOfAnAddressIsOne) {
  EXPECT_EQ(through("::ffff:198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(through("::FFFF:c633:6401"), "198.51.100.1");
  EXPECT_EQ(through("2001:0DB8:0000::0001"), "2001:db8::1");
  EXPECT_EQ(through("1.1.1.1, ::ffff:10.0.0.9"), "1.1.1.1");  // a proxy in disguise
  EXPECT_EQ(from("2001:db8:ffff::1", {{"X-Forwarded-For", "198.51.100.1"}}), "198.51.100.1");
}

TEST_F(ClientIp, ForwardedIsReadWhereTheOtherIsMissing) {
  const auto forwarded = [&](const std::string& value) { return through(value, "Forwarded"); };
  EXPECT_EQ(forwarded("for=198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(forwarded("proto=https; FOR=\"198.51.100.1:99\" ;by=10.0.0.1"), "198.51.100.1");
  EXPECT_EQ(forwarded("fOr=\"[2001:db8::1]:4711\""), "2001:db8::1");
  EXPECT_EQ(forwarded("for=\"[2001:db8::1]:_port\""), "2001:db8::1");
  EXPECT_EQ(forwarded("for=1.1.1.1, for=198.51.100.1;proto=http, for=10.0.0.2"), "198.51.100.1");
  EXPECT_EQ(forwarded("for=1.1.1.1, for=unknown"), "10.0.0.1");
  EXPECT_EQ(forwarded("for=1.1.1.1, by=2.2.2.2"), "10.0.0.1");
  EXPECT_EQ(forwarded("xfor=1.1.1.1"), "10.0.0.1");
  EXPECT_EQ(from("10.0.0.1", {{"Forwarded", "for=1.1.1.1"}, {"X-Forwarded-For", "2.2.2.2"}}),
            "2.2.2.2");
}

TEST_F(ClientIp, AThousandEntriesAreNotWalked) {
  std::string proxies;
  for (int i = 0; i < 1'000; ++i) proxies += ", 10.0.0.2";
  EXPECT_EQ(through("198.51.100.1" + proxies), "10.0.0.2");
  std::string strangers = "10.0.0.9";
  for (int i = 0; i < 1'000; ++i) strangers += ", 198.51.100.1";
  EXPECT_EQ(through(strangers), "198.51.100.1");
}

TEST(Networks, ContainWhatTheirPrefixSays) {
  const auto networks = Networks::parse({"192.0.2.128/25", "198.51.100.7", "2001:db8::/33", "::1"});
  ASSERT_TRUE(networks);
  for (const char* in : {"192.0.2.128", "192.0.2.255", "198.51.100.7", "2001:db8:7fff::1", "::1",
                         "::ffff:192.0.2.200"}) {
    EXPECT_TRUE(networks->contains(in)) << in;
  }
  for (const char* out : {"192.0.2.127", "192.0.3.128", "198.51.100.8", "2001:db8:8000::", "::2",
                          "", "example.org", "192.0.2.128/25"}) {
    EXPECT_FALSE(networks->contains(out)) << out;
  }
  EXPECT_TRUE(Networks::parse({"0.0.0.0/0"})->contains("8.8.8.8"));
  EXPECT_FALSE(Networks::parse({"0.0.0.0/0"})->contains("::2"));
}

TEST(Networks, RefuseWhatIsNone) {
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10/8",
                          "::/129", "localhost", "10.0.0.0/8/8"}) {
    const auto parsed = Networks::parse({"10.0.0.0/8", bad});
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, Failure::invalid);
  }
}

TEST(Loopback, IsThisMachineOnly) {
  for (const char* yes : {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(yes)) << yes;
  }
  for (const char* no : {"128.0.0.1", "::2", "10.0.0.1", "localhost", "", "0.0.0.0", "::"}) {
    EXPECT_FALSE(is_loopback(no)) << no;
  }
}

TEST(TextualAddress, ACallerTellsAnAddressAndNothingAroundIt) {
  const std::map<std::string, std::string> cases{
      {"203.0.113.7", "203.0.113.7"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::ffff:203.0.113.7", "203.0.113.7"},
      {"::", "::"},
  };
  for (const auto& [text, address] : cases) EXPECT_EQ(parse_client_ip(text), address) << text;
  for (const std::string bad : {"",
                                " ",
                                "203.0.113",
                                "203.0.113.256",
                                "203.0.113.7.1",
                                "0203.0.113.7",
                                "203.0.113.7:80",
                                "203.0.113.7 ",
                                " 203.0.113.7",
                                "203.0.113.0/24",
                                "0xcb007107",
                                "3405803783",
                                "127.1",
                                "[2001:db8::1]",
                                "2001:db8::1%eth0",
                                "fe80::1%1",
                                "2001:db8::/64",
                                "2001:db8",
                                ":::",
                                "1:2:3:4:5:6:7:8:9",
                                "localhost",
                                "203.0.113.7,203.0.113.8"}) {
    EXPECT_EQ(parse_client_ip(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_client_ip(std::string("203.0.113.7\0", 12)), std::nullopt);
}

}  // namespace
}  // namespace otpd::gateway
