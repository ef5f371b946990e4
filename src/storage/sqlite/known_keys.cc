#include "storage/sqlite/known_keys.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace otpd::storage::sqlite {
namespace {

constexpr std::size_t k_first_slots = 64;

std::uint64_t hash_of(std::string_view key) {
  return std::max<std::uint64_t>(std::hash<std::string_view>{}(key), 1);
}

}  // namespace

KnownKeys::KnownKeys(std::size_t max_bytes)
    : max_slots_(max_bytes / k_shards / sizeof(std::uint64_t)) {}

bool KnownKeys::absent(std::string_view key) const {
  const std::uint64_t hash = hash_of(key);
  return shard(hash).absent(hash);
}

void KnownKeys::add(std::string_view key) {
  const std::uint64_t hash = hash_of(key);
  shard(hash).add(hash, max_slots_);
}

void KnownKeys::remove(std::string_view key) {
  const std::uint64_t hash = hash_of(key);
  shard(hash).remove(hash);
}

void KnownKeys::complete() {
  for (Shard& shard : shards_) shard.complete();
}

bool KnownKeys::Shard::absent(std::uint64_t hash) const {
  const std::lock_guard lock(mutex_);
  if (!complete_) return false;
  return slots_.empty() || slots_[find(hash)] == 0;
}

void KnownKeys::Shard::add(std::uint64_t hash, std::size_t max_slots) {
  const std::lock_guard lock(mutex_);
  if (!gave_up_ && count_ >= slots_.size() / 4 * 3) grow(max_slots);
  if (!gave_up_) insert(hash);
}

void KnownKeys::Shard::remove(std::uint64_t hash) {
  const std::lock_guard lock(mutex_);
  if (!complete_ || slots_.empty()) return;
  std::size_t hole = find(hash);
  if (slots_[hole] == 0) return;
  --count_;
  // Moves back what a search would no longer find beyond the hole.
  for (std::size_t slot = next(hole); slots_[slot] != 0; slot = next(slot)) {
    if (steps(home(slots_[slot]), slot) < steps(hole, slot)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole] = 0;
}

void KnownKeys::Shard::complete() {
  const std::lock_guard lock(mutex_);
  complete_ = !gave_up_;
}

// The slot that holds `hash`, or the free one where the search for it ends.
std::size_t KnownKeys::Shard::find(std::uint64_t hash) const {
  std::size_t slot = home(hash);
  while (slots_[slot] != 0 && slots_[slot] != hash) slot = next(slot);
  return slot;
}

void KnownKeys::Shard::insert(std::uint64_t hash) {
  std::size_t slot = home(hash);
  while (slots_[slot] != 0) slot = next(slot);
  slots_[slot] = hash;
  ++count_;
}

void KnownKeys::Shard::grow(std::size_t max_slots) {
  const std::size_t size = slots_.empty() ? k_first_slots : slots_.size() * 2;
  gave_up_ = size > max_slots;
  complete_ = complete_ && !gave_up_;
  const auto old = std::exchange(slots_, std::vector<std::uint64_t>(gave_up_ ? 0 : size));
  count_ = 0;
  for (const std::uint64_t hash : old) {
    if (hash != 0 && !gave_up_) insert(hash);
  }
}

}  // namespace otpd::storage::sqlite
