// The book of API keys: which secrets it finds, what it takes from loads, which uses it notes.
#include "gateway/key_book.h"

#include <gtest/gtest.h>

#include "crypto/primitives.h"

namespace otpd::gateway {
namespace {

using std::chrono::hours;

constexpr TimePoint k_book_now{Seconds(1'795'310'000)};

otp::ApiKey book_key(const std::string& id, const std::string& name, TimePoint expires_at = {}) {
  otp::ApiKey key{.id = id, .name = name, .application = "default"};
  key.scopes = otp::k_usual_scopes;
  key.secret_hash = crypto::sha256("secret of " + id);
  key.expires_at = expires_at;
  return key;
}

class KnownKeys : public ::testing::Test {
 protected:
  void install(std::vector<otp::ApiKey> keys, std::uint64_t version = 1) {
    book_.install(book_.begin_load(), {version, std::move(keys)});
  }
  std::string found(const std::string& secret, TimePoint now = k_book_now) {
    const auto key = book_.find(secret, now);
    if (!key) return "unavailable";
    return *key ? (*key)->name + "@" + (*key)->application : "";
  }
  KeyBook book_{{.base = "default", .others = {"bank"}}};
};

TEST_F(KnownKeys, KnowsNothingBeforeItsFirstLoad) {
  EXPECT_FALSE(book_.is_loaded());
  EXPECT_TRUE(book_.had_keys());
  EXPECT_EQ(found("secret of 1"), "unavailable");
  install({}, 0);
  EXPECT_TRUE(book_.is_loaded());
  EXPECT_FALSE(book_.had_keys());
  EXPECT_EQ(found("secret of 1"), "");
  install({}, 1);
  EXPECT_TRUE(book_.had_keys());
}

TEST_F(KnownKeys, FindsLiveKeysOfApplicationsThatThereAre) {
  otp::ApiKey bank = book_key("2", "teller");
  bank.application = "bank";
  otp::ApiKey gone = book_key("3", "lost");
  gone.application = "closed";
  otp::ApiKey rotated = book_key("4", "twice");
  rotate_api_key(rotated, crypto::sha256("second"), hours(1), k_book_now);
  otp::ApiKey revoked = book_key("5", "out");
  revoke_api_key(revoked, k_book_now);
  install({book_key("1", "shop", k_book_now + hours(1)), bank, gone, rotated, revoked});
  EXPECT_EQ(found("secret of 1"), "shop@");
  EXPECT_EQ(found("secret of 1", k_book_now + hours(1)), "");
  EXPECT_EQ(found("secret of 2"), "teller@bank");
  EXPECT_EQ(found("secret of 3"), "");
  EXPECT_EQ(found("secret of 4"), "twice@");
  EXPECT_EQ(found("secret of 4", k_book_now + hours(1)), "");
  EXPECT_EQ(found("second", k_book_now + hours(1)), "twice@");
  EXPECT_EQ(found("secret of 5"), "");
  EXPECT_EQ(found(crypto::sha256("secret of 1")), "");
}

// A load that began before a key was revoked and ends after it must not bring the key back.
TEST_F(KnownKeys, ASlowLoadDoesNotUndoALaterOne) {
  const auto slow = book_.begin_load();
  const auto fast = book_.begin_load();
  book_.install(fast, {2, {}});
  book_.install(slow, {1, {book_key("1", "shop")}});
  EXPECT_EQ(found("secret of 1"), "");
  // One that finds nothing new is later all the same.
  const auto before = book_.begin_load();
  book_.install(book_.begin_load(), {2, {}});
  book_.install(before, {1, {book_key("1", "shop")}});
  EXPECT_EQ(found("secret of 1"), "");
  book_.install(book_.begin_load(), {3, {book_key("1", "shop")}});
  EXPECT_EQ(found("secret of 1"), "shop@");
}

TEST_F(KnownKeys, NotesAUseOnceAMinute) {
  install({book_key("1", "shop"), book_key("2", "bank")});
  found("secret of 1");
  found("secret of 1", k_book_now + Seconds(59));
  found("secret of 3");
  EXPECT_EQ(book_.take_uses(), (otp::KeyUses{{"1", k_book_now}}));
  found("secret of 1", k_book_now + Seconds(59));
  EXPECT_TRUE(book_.take_uses().empty());
  found("secret of 1", k_book_now + Seconds(60));
  install({book_key("1", "shop")}, 2);  // which does not know of that use yet
  found("secret of 1", k_book_now + Seconds(61));
  const otp::KeyUses uses = book_.take_uses();
  EXPECT_EQ(uses, (otp::KeyUses{{"1", k_book_now + Seconds(60)}}));
  found("secret of 1", k_book_now + Seconds(120));
  book_.give_back(uses);
  EXPECT_EQ(book_.take_uses(), (otp::KeyUses{{"1", k_book_now + Seconds(120)}}));
  book_.give_back(uses);
  EXPECT_EQ(book_.take_uses(), uses);
}

}  // namespace
}  // namespace otpd::gateway
