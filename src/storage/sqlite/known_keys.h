// KnownKeys: which records exist, so that loading one that does not needs no other thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace otpd::storage::sqlite {

// A bag of the keys' 64-bit hashes. Two keys of one hash are two entries, so that removing one
// never hides the other. Knows nothing until all keys of the file have been added, and nothing
// again about a part of them that would need more memory than allowed. Safe from any thread.
class KnownKeys {
 public:
  explicit KnownKeys(std::size_t max_bytes);

  // True if it is certain that there is no record of that name.
  bool absent(std::string_view key) const;

  // A record came into being: after its commit, before the commit's answer.
  void add(std::string_view key);
  // A record was deleted. Ignored until complete(): what is removed may not have been added yet.
  // (An entry too many costs a read, one too few would cost a record.)
  void remove(std::string_view key);

  // Every record of the file has been added.
  void complete();

 private:
  // One part of the hashes, so that growing makes nobody wait for long.
  class Shard {
   public:
    bool absent(std::uint64_t hash) const;
    void add(std::uint64_t hash, std::size_t max_slots);
    void remove(std::uint64_t hash);
    void complete();

   private:
    std::size_t next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
    // How many steps lead from slot `from` on to slot `to`.
    std::size_t steps(std::size_t from, std::size_t to) const {
      return (to - from) & (slots_.size() - 1);
    }
    std::size_t home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
    std::size_t find(std::uint64_t hash) const;
    void insert(std::uint64_t hash);
    void grow(std::size_t max_slots);

    mutable std::mutex mutex_;
    bool complete_ = false;
    bool gave_up_ = false;
    std::size_t count_ = 0;
    std::vector<std::uint64_t> slots_;  // open addressing, linear; 0 is free
  };

  static constexpr std::size_t k_shards = 64;
  Shard& shard(std::uint64_t hash) { return shards_[hash >> 58]; }
  const Shard& shard(std::uint64_t hash) const { return shards_[hash >> 58]; }

  const std::size_t max_slots_;  // of a shard
  std::array<Shard, k_shards> shards_;
};

}  // namespace otpd::storage::sqlite
