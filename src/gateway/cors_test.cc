// Which origins may read what they are answered.
#include "gateway/cors.h"

#include <gtest/gtest.h>

#include <optional>

namespace otpd::gateway {
namespace {

constexpr const char* k_shop = "https://shop.example";

net::HttpRequest call_of(const std::string& origin) {
  net::HttpRequest request;
  if (!origin.empty()) request.headers = {{"origin", origin}};
  return request;
}
std::string opened_to(const Cors& cors, const net::HttpRequest& request,
                      std::optional<std::string_view> application = {}) {
  net::HttpResponse response;
  cors.open(request, response, application);
  return std::string(net::find_header(response.headers, "Access-Control-Allow-Origin"));
}

TEST(CrossOrigin, AnOriginIsAllowedByItsExactName) {
  const Cors cors({k_shop, "http://localhost:3000"});
  EXPECT_EQ(opened_to(cors, call_of(k_shop)), k_shop);
  EXPECT_EQ(opened_to(cors, call_of("http://localhost:3000")), "http://localhost:3000");
  for (const char* other :
       {"", "null", "*", "http://shop.example", "https://shop.example:443", "https://shop.example/",
        "https://shop.example.evil.example", "https://evil.example", "https://SHOP.example",
        "https://a.shop.example", "http://localhost", "http://localhost:30001"}) {
    EXPECT_EQ(opened_to(cors, call_of(other)), "") << other;
  }
  net::HttpRequest two = call_of(k_shop);
  two.headers.emplace_back("Origin", "https://evil.example");
  EXPECT_EQ(opened_to(cors, two), "");
}

TEST(CrossOrigin, AStarIsEveryOriginByName) {
  const Cors cors({"*"});
  EXPECT_EQ(opened_to(cors, call_of("https://any.example")), "https://any.example");
  EXPECT_EQ(opened_to(cors, call_of("null")), "");
}

TEST(CrossOrigin, AnswersVaryByOrigin) {
  EXPECT_FALSE(Cors().is_on());
  net::HttpResponse response;
  const Cors cors({k_shop});
  cors.open(call_of("https://evil.example"), response, {});
  EXPECT_EQ(response.headers, (net::Headers{{"Vary", "Origin"}}));
  response = {};
  cors.open(call_of(k_shop), response, {});
  EXPECT_EQ(net::find_header(response.headers, "Access-Control-Expose-Headers"),
            "Retry-After, RateLimit, RateLimit-Policy, X-Request-Id");
  EXPECT_EQ(net::count_headers(response.headers, "Access-Control-Allow-Credentials"), 0U);
}

TEST(CrossOrigin, APreflightSaysWhatMayBeAsked) {
  const Cors cors({k_shop});
  const auto yes = cors.preflight(call_of(k_shop), "POST");
  EXPECT_EQ(yes.status, 204);
  EXPECT_EQ(net::find_header(yes.headers, "Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(net::find_header(yes.headers, "Access-Control-Allow-Headers"),
            "Content-Type, Idempotency-Key, X-Request-Id");
  EXPECT_EQ(net::find_header(yes.headers, "Access-Control-Max-Age"), "7200");
  const auto no = cors.preflight(call_of("https://evil.example"), "POST");
  EXPECT_EQ(no.status, 204);
  EXPECT_TRUE(no.headers.empty());
}

Cors of_bank_and_shop(const std::vector<std::string>& base) {
  Cors cors(base);
  cors.add("shop", {k_shop});
  return cors;
}

TEST(CrossOrigin, AnOriginSaysWhosePageItIs) {
  const Cors cors = of_bank_and_shop({"https://bank.example", "*"});
  EXPECT_EQ(cors.application_of(call_of(k_shop)), "shop");
  for (const char* other : {"", "null", "*", "https://bank.example", "https://any.example",
                            "https://shop.example/", "https://SHOP.example"}) {
    EXPECT_EQ(cors.application_of(call_of(other)), "") << other;
  }
  net::HttpRequest two = call_of(k_shop);
  two.headers.emplace_back("Origin", "https://bank.example");
  EXPECT_EQ(cors.application_of(two), "");
}

TEST(CrossOrigin, WhatOneApplicationIsAnsweredIsNotForAnothersPages) {
  const Cors cors = of_bank_and_shop({"https://bank.example"});
  EXPECT_EQ(opened_to(cors, call_of(k_shop), "shop"), k_shop);
  EXPECT_EQ(opened_to(cors, call_of(k_shop), ""), "");
  EXPECT_EQ(opened_to(cors, call_of("https://bank.example"), ""), "https://bank.example");
  EXPECT_EQ(opened_to(cors, call_of("https://bank.example"), "shop"), "");
  // Before it is known who calls, both may read that they are refused.
  EXPECT_EQ(opened_to(cors, call_of(k_shop)), k_shop);
  EXPECT_EQ(opened_to(cors, call_of("https://bank.example")), "https://bank.example");
  EXPECT_FALSE(cors.preflight(call_of(k_shop), "POST").headers.empty());
}

TEST(CrossOrigin, AStarIsTheBaseOnesAlone) {
  const Cors cors = of_bank_and_shop({"*"});
  EXPECT_EQ(opened_to(cors, call_of("https://any.example"), ""), "https://any.example");
  EXPECT_EQ(opened_to(cors, call_of("https://any.example"), "shop"), "");
  EXPECT_EQ(opened_to(cors, call_of(k_shop), ""), "") << "it is the shop's";
  Cors shop;
  shop.add("shop", {"*"});
  EXPECT_FALSE(shop.is_on());
  EXPECT_EQ(opened_to(shop, call_of(k_shop)), "");
}

}  // namespace
}  // namespace otpd::gateway
