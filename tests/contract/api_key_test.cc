// API keys on every backend: made, used, rotated, revoked; known to every process; and the audit
// line of each.
#include <atomic>
#include <thread>

#include "gateway/key_book.h"
#include "house.h"
#include "otp/keys.h"

namespace otpd::usecase {
namespace {

using std::chrono::hours;
using storage::await;

class ApiKeyUseCase : public UseCase {
 protected:
  Result<otp::KeyOutcome> try_create(const std::string& name) {
    return await(keys_.create({.name = name, .application = "default", .client_ip = k_ip}));
  }
  otp::IssuedKey create(const std::string& name) {
    auto outcome = try_create(name).value();
    return std::move(std::get<otp::IssuedKey>(outcome));
  }
  Result<otp::KeyOutcome> try_rotate(const std::string& id, Millis overlap = hours(24)) {
    return await(keys_.rotate(id, overlap, k_ip));
  }
  std::optional<otp::ApiKey> revoke(const std::string& id) {
    return await(keys_.revoke(id, k_ip)).value();
  }
  // After it learnt what there is.
  std::string found_now(gateway::KeyBook& book, const Secret& secret) {
    refresh(book);
    return found(book, secret);
  }
  std::vector<otp::ApiKey> listed() { return await(keys_.load()).value().keys; }
  bool refresh(gateway::KeyBook& book) { return await(gateway::refresh(book, keys_)).has_value(); }
  bool write_uses(gateway::KeyBook& book) {
    return await(gateway::write_uses(book, keys_)).has_value();
  }
  std::string found(gateway::KeyBook& book, const Secret& secret) {
    const auto key = book.find(secret.reveal(), house_.world.clock.now());
    if (!key) return "unavailable";
    return *key ? (*key)->name : "";
  }
  void expect_event(std::string_view what, const std::string& id) {
    const auto lines = house_.events(what);
    ASSERT_EQ(lines.size(), 1U) << what;
    EXPECT_EQ(lines[0].detail, otp::api_key_id_text(id));
    EXPECT_EQ(lines[0].ip_address, k_ip);
  }

  otp::ApiKeys keys_{house_.services()};
  gateway::KeyBook book_{{.base = "default"}};
  gateway::KeyBook other_book_{{.base = "default"}};  // of another process
};
INSTANTIATE_TEST_SUITE_P(
    Backends, ApiKeyUseCase,
    ::testing::Values(storage::BackendKind{"memory", storage::open_memory_backend},
                      storage::BackendKind{"sqlite", storage::open_default_sqlite},
                      storage::BackendKind{"redis", storage::open_redis}, storage::k_postgres),
    storage::backend_name);

TEST_P(ApiKeyUseCase, IsMadeUsedRotatedAndRevoked) {
  EXPECT_TRUE(refresh(other_book_));
  EXPECT_FALSE(other_book_.had_keys());
  const auto made = create("shop");
  EXPECT_TRUE(made.secret.reveal().starts_with("otpk_"));
  EXPECT_EQ(made.secret.size(), 5U + 43U);
  EXPECT_EQ(found_now(book_, made.secret), "shop");
  EXPECT_EQ(found(other_book_, made.secret), "");
  EXPECT_TRUE(refresh(other_book_));
  EXPECT_EQ(found(other_book_, made.secret), "shop");
  expect_event(type::k_admin_key_created, made.key.id);

  auto outcome = try_rotate(made.key.id).value();
  const auto& rotated = std::get<otp::IssuedKey>(outcome);
  EXPECT_EQ(rotated.key.name, "shop");
  EXPECT_EQ(found_now(book_, made.secret), "shop");
  EXPECT_EQ(found_now(book_, rotated.secret), "shop");
  house_.world.clock.advance(hours(24));
  EXPECT_EQ(found_now(book_, made.secret), "");
  EXPECT_EQ(found_now(book_, rotated.secret), "shop");
  expect_event(type::k_admin_key_rotated, made.key.id);

  EXPECT_EQ(revoke(made.key.id)->revoked_at, house_.world.clock.now());
  EXPECT_EQ(found_now(book_, rotated.secret), "");
  house_.world.clock.advance(hours(1));
  EXPECT_EQ(revoke(made.key.id)->revoked_at, house_.world.clock.now() - hours(1));
  expect_event(type::k_admin_key_revoked, made.key.id);
  EXPECT_TRUE(refresh(other_book_));
  EXPECT_EQ(found(other_book_, rotated.secret), "");
  EXPECT_TRUE(other_book_.had_keys());
  EXPECT_TRUE(std::holds_alternative<otp::NoSuchKey>(try_rotate(made.key.id).value()));
  EXPECT_EQ(revoke(std::string(8, 'x')), std::nullopt);
}

TEST_P(ApiKeyUseCase, NoStoreHoldsASecret) {
  const auto made = create("shop");
  const auto stored = house_.world.load(otp::api_keys_key(house_.keys.index_key()));
  EXPECT_NE(stored.version, 0U);
  EXPECT_FALSE(stored.bytes.contains(made.secret.reveal()));
  EXPECT_FALSE(stored.bytes.contains(made.secret.reveal().substr(5, 20)));
  EXPECT_TRUE(stored.bytes.contains(crypto::sha256(made.secret.reveal())));
}

TEST_P(ApiKeyUseCase, ANameIsGivenOnceHoweverManyAskForIt) {
  std::atomic<int> made = 0;
  std::atomic<int> taken = 0;
  std::vector<std::thread> racers;
  for (int i = 0; i < 8; ++i) {
    racers.emplace_back([&] {
      const auto outcome = try_create("shop");
      if (!outcome) return;
      (std::holds_alternative<otp::IssuedKey>(*outcome) ? made : taken) += 1;
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(taken, 7);
  EXPECT_EQ(listed().size(), 1U);
  EXPECT_EQ(house_.events(type::k_admin_key_created).size(), 1U);
}

TEST_P(ApiKeyUseCase, UsesAreWrittenTogetherAndWithoutAnAuditLine) {
  const auto shop = create("shop");
  const auto bank = create("bank");
  const auto before = house_.event_types().size();
  refresh(book_);
  found(book_, shop.secret);
  found(book_, bank.secret);
  const TimePoint used = house_.world.clock.now();
  EXPECT_EQ(listed()[0].last_used_at, TimePoint());
  house_.store.script = [](Operation operation, const otp::Key&, const otp::Effects&) {
    return operation == Operation::commit ? Fault::before : Fault::none;
  };
  EXPECT_FALSE(write_uses(book_));
  int commits = 0;
  house_.store.script = [&](Operation operation, const otp::Key&, const otp::Effects&) {
    commits += operation == Operation::commit ? 1 : 0;
    return Fault::none;
  };
  EXPECT_TRUE(write_uses(book_));
  EXPECT_TRUE(write_uses(book_));
  EXPECT_EQ(commits, 1);
  for (const otp::ApiKey& key : listed()) EXPECT_EQ(key.last_used_at, used);
  EXPECT_EQ(house_.event_types().size(), before);
  // A process that noticed an earlier use does not move it back.
  EXPECT_TRUE(refresh(other_book_));
  other_book_.give_back({{shop.key.id, used - hours(1)}});
  EXPECT_TRUE(write_uses(other_book_));
  EXPECT_EQ(listed()[0].last_used_at, used);
  EXPECT_EQ(commits, 1);
}

TEST_P(ApiKeyUseCase, WithoutItsStoreTheLastKnownKeysServe) {
  const auto made = create("shop");
  EXPECT_TRUE(refresh(book_));
  house_.store.script = [](Operation, const otp::Key&, const otp::Effects&) {
    return Fault::before;
  };
  EXPECT_FALSE(refresh(book_));
  EXPECT_EQ(found(book_, made.secret), "shop");
  EXPECT_FALSE(refresh(other_book_));
  EXPECT_EQ(found(other_book_, made.secret), "unavailable");
}

TEST_P(ApiKeyUseCase, AFullRegistryRefuses) {
  for (std::size_t i = 0; i < 3; ++i) create("key-" + std::to_string(i));
  otp::ApiKeysState full;
  const otp::Key key = otp::api_keys_key(house_.keys.index_key());
  const auto record = house_.world.load(key);
  full = otp::decode<otp::ApiKeysState>(record.bytes).value();
  while (full.keys.size() < otp::k_max_api_keys) {
    full.keys.push_back(full.keys[0]);
    full.keys.back().name = "more-" + std::to_string(full.keys.size());
  }
  house_.world.put(key, record.version, otp::encode(full));
  EXPECT_TRUE(std::holds_alternative<otp::TooManyKeys>(try_create("one-more").value()));
  EXPECT_TRUE(std::holds_alternative<otp::KeyNameTaken>(try_create("key-1").value()));
}

}  // namespace
}  // namespace otpd::usecase
