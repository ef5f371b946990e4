#include "storage/sqlite/record_cache.h"

#include <utility>

namespace otpd::storage::sqlite {
namespace {

constexpr std::size_t k_entry_overhead = 160;  // nodes of the list and the index, measured

}  // namespace

std::optional<otp::Record> RecordCache::get(const otp::Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(key);
  if (found == index_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->record;
}

void RecordCache::put(const otp::Key& key, otp::Record record) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) erase_locked(found->second);
  entries_.push_front({key, std::move(record)});
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += cost(entries_.front());
  while (bytes_ > max_bytes_) erase_locked(std::prev(entries_.end()));
}

void RecordCache::erase(const otp::Key& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(key); found != index_.end()) erase_locked(found->second);
}

std::size_t RecordCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t RecordCache::cost(const Entry& entry) {
  return entry.key.capacity() + entry.record.bytes.capacity() + k_entry_overhead;
}

void RecordCache::erase_locked(Entries::iterator entry) {
  bytes_ -= cost(*entry);
  index_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace otpd::storage::sqlite
