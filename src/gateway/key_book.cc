#include "gateway/key_book.h"

#include <utility>

#include "crypto/primitives.h"

namespace otpd::gateway {
namespace {

constexpr Millis k_note_use_every = std::chrono::minutes(1);

}  // namespace

std::uint64_t KeyBook::begin_load() {
  const std::lock_guard lock(mutex_);
  return ++loads_;
}

void KeyBook::install(std::uint64_t load, otp::LoadedKeys loaded) {
  const std::lock_guard lock(mutex_);
  if (load < known_load_) return;
  const bool same = known_load_ != 0 && known_version_ == loaded.version;
  known_load_ = load;
  if (same) return;
  known_version_ = loaded.version;
  keys_ = std::move(loaded.keys);
  by_hash_.clear();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    otp::ApiKey& key = keys_[i];
    if (const auto use = uses_.find(key.id); use != uses_.end()) note_api_key_use(key, use->second);
    if (key.is_revoked() || !applications_.contains(key.application)) continue;
    by_hash_.emplace(key.secret_hash, i);
    if (!key.replaced_hash.empty()) by_hash_.emplace(key.replaced_hash, i);
  }
}

bool KeyBook::is_loaded() const {
  const std::lock_guard lock(mutex_);
  return known_load_ != 0;
}

bool KeyBook::had_keys() const {
  const std::lock_guard lock(mutex_);
  return known_load_ == 0 || known_version_ != 0;
}

Result<std::optional<KnownKey>> KeyBook::find(std::string_view secret, TimePoint now) {
  const std::string hash = crypto::sha256(secret);
  const std::lock_guard lock(mutex_);
  if (known_load_ == 0) return fail(Failure::unavailable, "the API keys are not known yet");
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return std::nullopt;
  otp::ApiKey& key = keys_[found->second];
  if (!opens(key, hash, now)) return std::nullopt;
  note_use(key, now);
  const bool base = key.application == applications_.base;
  return KnownKey{key.name, base ? std::string() : key.application, key.scopes};
}

void KeyBook::note_use(otp::ApiKey& key, TimePoint now) {
  if (now - key.last_used_at < k_note_use_every) return;
  key.last_used_at = now;
  uses_[key.id] = now;
}

otp::KeyUses KeyBook::take_uses() {
  const std::lock_guard lock(mutex_);
  return std::exchange(uses_, {});
}

void KeyBook::give_back(otp::KeyUses uses) {
  const std::lock_guard lock(mutex_);
  uses_.merge(uses);  // what was noted since is newer
}

Task<Result<void>> refresh(KeyBook& book, otp::ApiKeys& keys) {
  const std::uint64_t load = book.begin_load();
  auto loaded = co_await keys.load();
  if (!loaded) co_return std::unexpected(loaded.error());
  book.install(load, std::move(*loaded));
  co_return Result<void>();
}

Task<Result<void>> write_uses(KeyBook& book, otp::ApiKeys& keys) {
  otp::KeyUses uses = book.take_uses();
  if (uses.empty()) co_return Result<void>();
  auto written = co_await keys.note_uses(uses);
  if (!written) book.give_back(std::move(uses));
  co_return written;
}

}  // namespace otpd::gateway
