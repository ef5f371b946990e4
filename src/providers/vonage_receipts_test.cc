#include "providers/vonage_receipts.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/primitives.h"
#include "providers/test_callback.h"

namespace otpd::providers {
namespace {

constexpr TimePoint k_vonage_now{Seconds(1'700'000'100)};
const std::string k_dlr = "messageId=0A1&msisdn=14155552671&status=delivered&err-code=0";

std::string vonage_query(const std::string& fields, const std::string& timestamp = "1700000000",
                         VonageSignature method = VonageSignature::sha256,
                         const std::string& secret = "abcd") {
  const std::string query = fields + "&timestamp=" + timestamp;
  return query + "&sig=" + vonage_signature(secret, method, *net::form_decode(query, 1'000));
}

std::string read_vonage(const CallbackCase& callback,
                        VonageSignature method = VonageSignature::sha256) {
  return callback.read_by(*make_vonage_receipts(Secret("abcd"), method), k_vonage_now);
}

std::string read_vonage_query(const std::string& query,
                              VonageSignature method = VonageSignature::sha256) {
  return read_vonage({.method = "GET", .query = query, .headers = {}}, method);
}

std::string vonage_jwt(const std::string& header, const std::string& claims,
                       const std::string& secret = "abcd") {
  const std::string content = base64url_encode(header) + "." + base64url_encode(claims);
  return content + "." + base64url_encode(crypto::hmac_sha256(secret, content));
}

TEST(VonageReceipts, SignsAsVonageDoes) {
  const net::FormFields fields = {{"timestamp", "1700000000"},
                                  {"nonce", "n&=1"},
                                  {"msisdn", "14155552671"},
                                  {"messageId", "x"}};
  EXPECT_EQ(vonage_signature("abcd", VonageSignature::md5_hash, fields),
            "bfbaf6df78689ec3a594631212b947b4");
  const std::string sha256 = vonage_signature("abcd", VonageSignature::sha256, fields);
  EXPECT_TRUE(sha256.starts_with("7a9b708d") && sha256.ends_with("bdef")) << sha256;
}

TEST(VonageReceipts, BelievesEachMethodAndNoOther) {
  constexpr VonageSignature k_methods[] = {VonageSignature::md5_hash, VonageSignature::md5,
                                           VonageSignature::sha1, VonageSignature::sha256,
                                           VonageSignature::sha512};
  for (const auto signed_by : k_methods) {
    for (const auto method : k_methods) {
      EXPECT_EQ(read_vonage_query(vonage_query(k_dlr, "1700000000", signed_by), method),
                signed_by == method ? "delivered 0A1" : "invalid");
    }
  }
}

TEST(VonageReceipts, ReadsEveryStatus) {
  const std::pair<std::string, std::string> cases[] = {
      {"delivered&err-code=0", "delivered 0A1"},
      {"accepted", "on_its_way 0A1"},
      {"buffered", "on_its_way 0A1"},
      {"unknown&err-code=5", "on_its_way 0A1"},
      {"failed&err-code=6", "failed 0A1 6"},
      {"rejected&err-code=x%20y", "failed 0A1 rejected"},
      {"expired", "failed 0A1 expired"},
  };
  for (const auto& [status, expected] : cases) {
    EXPECT_EQ(read_vonage_query(vonage_query("messageId=0A1&status=" + status)), expected);
  }
}

TEST(VonageReceipts, ReadsFormsAndJsonToo) {
  CallbackCase callback;
  callback.body = vonage_query(k_dlr);
  callback.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(read_vonage(callback), "delivered 0A1");
  const std::string sig = vonage_signature(
      "abcd", VonageSignature::sha256,
      {{"messageId", "0A1"}, {"status", "delivered"}, {"timestamp", "1700000000"}});
  callback.body =
      R"({"status":"delivered","messageId":"0A1","timestamp":1700000000,"sig":")" + sig + "\"}";
  EXPECT_EQ(read_vonage(callback), "invalid");  // by that Content-Type it is no form
  callback.headers = {{"Content-Type", "application/json"}};
  EXPECT_EQ(read_vonage(callback), "delivered 0A1");
  callback.headers = {{"Content-Type", "text/plain"}};
  EXPECT_EQ(read_vonage(callback), "invalid");
}

TEST(VonageReceipts, BelievesNothingElse) {
  const std::string good = vonage_query(k_dlr);
  std::string upper = good;
  for (std::size_t i = upper.find("&sig=") + 5; i < upper.size(); ++i) {
    upper[i] = static_cast<char>(std::toupper(upper[i]));
  }
  EXPECT_EQ(read_vonage_query(upper), "delivered 0A1");
  std::string many = k_dlr;
  for (int i = 0; i < 120; ++i) many += "&a=" + std::to_string(i);
  for (const std::string& bad :
       {std::string(), k_dlr, k_dlr + "&timestamp=1700000000", good + "&x=1", good + "0",
        good + "&sig=" + good.substr(good.size() - 64), k_dlr + "&timestamp=1700000000&sig=",
        vonage_query(k_dlr, "1700000000", VonageSignature::sha256, "abce"),
        vonage_query(k_dlr, "1699999799"), vonage_query(k_dlr, "1700000401"),
        vonage_query(k_dlr, "soon"), vonage_query(k_dlr, ""), vonage_query("status=delivered"),
        vonage_query("messageId=0A1"), vonage_query(k_dlr + "&messageId=0A2"),
        vonage_query("messageId=%2F..&status=delivered"), vonage_query(many),
        vonage_query(k_dlr + "&a=" + std::string(70'000, 'x'))}) {
    EXPECT_EQ(read_vonage_query(bad), "invalid") << bad.substr(0, 100);
  }
  EXPECT_EQ(read_vonage_query(vonage_query(k_dlr, "1699999800")), "delivered 0A1");
  EXPECT_EQ(read_vonage_query(vonage_query(k_dlr, "1700000400")), "delivered 0A1");
  EXPECT_EQ(read_vonage({.method = "PUT", .query = good, .headers = {}}), "invalid");
}

TEST(VonageReceipts, BelievesAFreshTokenOverTheBody) {
  CallbackCase callback;
  callback.body = R"({"messageId":"0A1","status":"failed","err-code":"6"})";
  const std::string hash = hex_encode(crypto::sha256(callback.body));
  const std::string header = R"({"typ":"JWT","alg":"HS256"})";
  const std::string claims = R"({"iat":1700000000,"payload_hash":")" + hash + "\"}";
  const auto with = [&](const std::string& authorization) {
    callback.headers = {{"Content-Type", "application/json"}, {"Authorization", authorization}};
    return read_vonage(callback);
  };
  const std::string good = "Bearer " + vonage_jwt(header, claims);
  EXPECT_EQ(with(good), "failed 0A1 6");
  for (const std::string& bad :
       {std::string(), std::string("Bearer "), std::string("Bearer a.b.c"), good.substr(7),
        good + "x", "Bearer " + vonage_jwt(header, claims, "abce"),
        "Bearer " + vonage_jwt(R"({"alg":"none"})", claims),
        "Bearer " + base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(claims) + ".",
        "Bearer " + vonage_jwt(R"({"alg":"HS512"})", claims), "Bearer " + vonage_jwt("x", claims),
        "Bearer " + vonage_jwt(header, "{}"), "Bearer " + vonage_jwt(header, ""),
        "Bearer " + vonage_jwt(header, R"({"iat":1700000000})"),
        "Bearer " + vonage_jwt(header, R"({"payload_hash":")" + hash + "\"}"),
        "Bearer " + vonage_jwt(header, R"({"iat":1699999799,"payload_hash":")" + hash + "\"}"),
        "Bearer " + vonage_jwt(header, R"({"iat":1700000401,"payload_hash":")" + hash + "\"}"),
        "Bearer " + vonage_jwt(header, claims + std::string(5'000, ' '))}) {
    EXPECT_EQ(with(bad), "invalid") << bad.substr(0, 100);
  }
  callback.headers.push_back(callback.headers.back() = {"Authorization", good});
  EXPECT_EQ(read_vonage(callback), "invalid") << "twice";
  callback.body += " ";
  EXPECT_EQ(with(good), "invalid") << "another body";
  // A query is not under the token.
  EXPECT_EQ(read_vonage({.method = "GET",
                         .query = k_dlr,
                         .body = callback.body.substr(0, callback.body.size() - 1),
                         .headers = {{"Authorization", good}}}),
            "invalid");
}

}  // namespace
}  // namespace otpd::providers
