// RecordCache: the records committed most recently, so that loading one needs no other thread.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "otp/store.h"

namespace otpd::storage::sqlite {

// Least recently used out first, bounded by bytes. Safe from any thread, but only the writer
// changes what a key holds, after the commit and before the commit's answer: so a key that is here
// is here with its newest acknowledged version, or with one about to be acknowledged.
class RecordCache {
 public:
  explicit RecordCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // The record as last put (version 0: known to be absent), or nothing if it must be read.
  std::optional<otp::Record> get(const otp::Key& key);

  void put(const otp::Key& key, otp::Record record);
  void erase(const otp::Key& key);

  // An estimate of the memory held.
  std::size_t bytes() const;

 private:
  struct Entry {
    otp::Key key;
    otp::Record record;
  };
  using Entries = std::list<Entry>;  // most recently used first

  static std::size_t cost(const Entry& entry);
  void erase_locked(Entries::iterator entry);

  const std::size_t max_bytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> index_;  // views of Entry::key
};

}  // namespace otpd::storage::sqlite
