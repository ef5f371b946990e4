// The rules of API keys: which names are free, which secrets open, and for how long.
#include "otp/api_keys_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/primitives.h"

namespace otpd::otp {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;

constexpr TimePoint k_key_now{Seconds(1'795'310'000)};

std::string hash_of_secret(const std::string& secret) {
  return crypto::sha256(secret);
}
ApiKey make_key(const std::string& id, const std::string& name, TimePoint expires_at = {}) {
  ApiKey key{.id = id, .name = name, .application = "default", .scopes = k_usual_scopes};
  key.secret_hash = hash_of_secret("secret of " + id);
  key.created_at = k_key_now;
  key.expires_at = expires_at;
  return key;
}
bool opens_now(const ApiKey& key, const std::string& secret, TimePoint now = k_key_now) {
  return opens(key, hash_of_secret(secret), now);
}
std::vector<std::string> ids(const ApiKeysState& state) {
  std::vector<std::string> out;
  for (const ApiKey& key : state.keys) out.push_back(key.id);
  return out;
}

TEST(ApiKeyRules, ScopesHaveNames) {
  for (std::size_t i = 0; i < k_scope_names.size(); ++i) {
    EXPECT_EQ(parse_scope(k_scope_names[i]), static_cast<Scope>(i));
  }
  for (const char* bad : {"", "Send", "all", "send,verify"}) EXPECT_FALSE(parse_scope(bad)) << bad;
  EXPECT_THAT((Scopes{Scope::factors, Scope::send}).names(), ElementsAre("send", "factors"));
  EXPECT_FALSE(k_usual_scopes.has(Scope::admin));
  EXPECT_TRUE(k_usual_scopes.has_any_of({Scope::admin, Scope::send}));
  EXPECT_FALSE(k_usual_scopes.has_any_of({Scope::admin}));
}

TEST(ApiKeyRules, ANameIsTakenWhileItsKeyLives) {
  ApiKeysState state;
  EXPECT_EQ(add_api_key(state, make_key("1", "shop"), k_key_now), KeyAdded::done);
  EXPECT_EQ(add_api_key(state, make_key("2", "shop"), k_key_now), KeyAdded::name_taken);
  ApiKey other = make_key("3", "shop");
  other.application = "bank";
  EXPECT_EQ(add_api_key(state, other, k_key_now), KeyAdded::done);
  EXPECT_TRUE(revoke_api_key(state.keys[0], k_key_now));
  EXPECT_EQ(add_api_key(state, make_key("4", "shop", k_key_now + hours(1)), k_key_now),
            KeyAdded::done);
  const TimePoint later = k_key_now + hours(1);
  EXPECT_EQ(add_api_key(state, make_key("5", "shop"), later - Millis(1)), KeyAdded::name_taken);
  EXPECT_EQ(add_api_key(state, make_key("5", "shop"), later), KeyAdded::done);
}

TEST(ApiKeyRules, EndedKeysAreListedForAMonth) {
  ApiKeysState state;
  add_api_key(state, make_key("revoked", "a"), k_key_now);
  add_api_key(state, make_key("expired", "b", k_key_now + days(1)), k_key_now);
  add_api_key(state, make_key("live", "c"), k_key_now);
  revoke_api_key(state.keys[0], k_key_now);
  add_api_key(state, make_key("1", "d"), k_key_now + days(30) - Millis(1));
  EXPECT_THAT(ids(state), ElementsAre("revoked", "expired", "live", "1"));
  add_api_key(state, make_key("2", "e"), k_key_now + days(30));
  EXPECT_THAT(ids(state), ElementsAre("expired", "live", "1", "2"));
  add_api_key(state, make_key("3", "f"), k_key_now + days(31));
  EXPECT_THAT(ids(state), ElementsAre("live", "1", "2", "3"));
}

TEST(ApiKeyRules, AThousandKeysAreEnoughAndEndedOnesMakeRoom) {
  ApiKeysState state;
  for (std::size_t i = 0; i < k_max_api_keys; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_EQ(add_api_key(state, make_key(id, "n" + id), k_key_now), KeyAdded::done);
  }
  EXPECT_EQ(add_api_key(state, make_key("x", "x"), k_key_now), KeyAdded::too_many);
  revoke_api_key(state.keys[7], k_key_now + hours(2));
  revoke_api_key(state.keys[9], k_key_now + hours(1));
  EXPECT_EQ(add_api_key(state, make_key("x", "x"), k_key_now + hours(3)), KeyAdded::done);
  EXPECT_EQ(state.keys.size(), k_max_api_keys);
  EXPECT_EQ(find_api_key(state, "9"), nullptr);
  EXPECT_NE(find_api_key(state, "7"), nullptr);
}

TEST(ApiKeyRules, AKeyOpensUntilItEnds) {
  ApiKey key = make_key("1", "shop", k_key_now + hours(1));
  EXPECT_TRUE(opens_now(key, "secret of 1"));
  EXPECT_FALSE(opens_now(key, "secret of 2"));
  EXPECT_FALSE(opens(key, "", k_key_now));
  EXPECT_TRUE(opens_now(key, "secret of 1", k_key_now + hours(1) - Millis(1)));
  EXPECT_FALSE(opens_now(key, "secret of 1", k_key_now + hours(1)));
  EXPECT_TRUE(revoke_api_key(key, k_key_now));
  EXPECT_FALSE(opens_now(key, "secret of 1"));
  EXPECT_FALSE(opens_now(key, "secret of 1", k_key_now - days(1)));  // a clock that stepped back
  EXPECT_FALSE(revoke_api_key(key, k_key_now + hours(1)));
  EXPECT_EQ(key.revoked_at, k_key_now);
}

TEST(ApiKeyRules, ARotatedSecretWorksUntilTheOverlapEnds) {
  ApiKey key = make_key("1", "shop");
  rotate_api_key(key, hash_of_secret("second"), hours(24), k_key_now);
  EXPECT_TRUE(opens_now(key, "second"));
  EXPECT_TRUE(opens_now(key, "secret of 1", k_key_now + hours(24) - Millis(1)));
  EXPECT_FALSE(opens_now(key, "secret of 1", k_key_now + hours(24)));
  EXPECT_TRUE(opens_now(key, "second", k_key_now + days(1'000)));
  // Another rotation leaves two secrets at the most.
  rotate_api_key(key, hash_of_secret("third"), hours(1), k_key_now + Millis(1));
  EXPECT_FALSE(opens_now(key, "secret of 1"));
  EXPECT_TRUE(opens_now(key, "second"));
  EXPECT_TRUE(opens_now(key, "third"));
  rotate_api_key(key, hash_of_secret("fourth"), Millis(0), k_key_now + Millis(2));
  EXPECT_FALSE(opens_now(key, "third"));
  EXPECT_TRUE(opens_now(key, "fourth"));
  rotate_api_key(key, hash_of_secret("fifth"), hours(1), k_key_now);
  revoke_api_key(key, k_key_now);
  EXPECT_FALSE(opens_now(key, "fourth"));
  EXPECT_FALSE(opens_now(key, "fifth"));
}

TEST(ApiKeyRules, TheStoredFormHasEverything) {
  ApiKeysState state;
  ApiKey key = make_key("12345678", "shop", k_key_now + days(90));
  rotate_api_key(key, hash_of_secret("second"), hours(24), k_key_now + hours(1));
  key.last_used_at = k_key_now + hours(2);
  key.revoked_at = k_key_now + hours(3);
  state.keys = {key, make_key("2", "bank")};
  EXPECT_EQ(decode<ApiKeysState>(encode(state)).value().keys, state.keys);
  EXPECT_FALSE(encode(ApiKeysState()).empty());
  EXPECT_EQ(decode<ApiKeysState>("\xff").error().kind, Failure::corrupt);
}

}  // namespace
}  // namespace otpd::otp
